"""What a person does about a run that the machine cannot decide: ask the platform again, or decide. On two pages alike."""

from collections.abc import Callable

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from breakglass.pages import rollback, running, wizard
from breakglass.pages.change_forms import JudgeForm
from breakglass.procedure import execution
from breakglass.procedure.models import Incident
from recovery.models import Run, RunState

Press = Callable[..., HttpResponse]


def presses(page: wizard.Page) -> tuple[Press, Press]:
    """The two buttons of the page that shows the run."""

    @wizard.action(page)
    def ask_again(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
        """Ask the platform once more."""
        run = execution.ask_again(incident, by=request.user)
        return wizard.done(request, incident, page.key, said_of(run))

    @wizard.action(page, JudgeForm)
    def judge(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
        """Somebody of Security without part in the incident decides."""
        execution.judge(incident, by=request.user, **form.cleaned_data)
        return wizard.done(request, incident, page.key, _("Your decision is recorded, with your name and reason."))

    return ask_again, judge


def said_of(run: Run) -> str:
    """What asking the platform again has brought."""
    if run.state == RunState.COMMITTED:
        return _("The platform has answered: the change was made.")
    if run.state == RunState.ABORTED:
        return _("The platform has answered: nothing was changed.")
    return _("The platform was asked again, and it still cannot be told from its answer.")


ask_again, judge = presses(running.execute)
ask_again_undone, judge_undone = presses(rollback.rollback)
