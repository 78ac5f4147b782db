"""The facts of the procedure: one row per thing that happened. Rows are added; the few columns that change move forward only."""

from breakglass.procedure.models.change import Approval, Execution, Handover, Judgement, Plan, PlanRefusal, Window
from breakglass.procedure.models.closing import (
    Bundle,
    EvidenceItem,
    LoginCheck,
    PostMortem,
    Review,
    RevocationItem,
    SignInProof,
)
from breakglass.procedure.models.opening import Choice, Diagnosis, Incident, Override, Participant, Trigger
from breakglass.procedure.models.told import Delivery, Message

__all__ = [
    "Approval",
    "Bundle",
    "Choice",
    "Delivery",
    "Diagnosis",
    "EvidenceItem",
    "Execution",
    "Handover",
    "Incident",
    "Judgement",
    "LoginCheck",
    "Message",
    "Override",
    "Participant",
    "Plan",
    "PlanRefusal",
    "PostMortem",
    "Review",
    "RevocationItem",
    "SignInProof",
    "Trigger",
    "Window",
]
