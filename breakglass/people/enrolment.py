"""What the holder of an invitation's link does: sets a password, proves an authenticator. The link works once."""

from collections.abc import Callable

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from audit import clock, events, log
from audit.refusals import Refused
from breakglass.people import factors, invitations, news, steps, throttle
from breakglass.people.invitations import Kind
from breakglass.people.models import Account, Invitation
from breakglass.people.refusals import InvitationDead, PasswordsDiffer, PasswordUnfit, SignInRefused

EVENTS = {
    Kind.FIRST: events.ACCOUNT_ENROLLED,
    Kind.PASSWORD: events.ACCOUNT_PASSWORD_CHANGED,
    Kind.FACTOR: events.FACTOR_RESET,
    Kind.BOTH: events.FACTOR_RESET,
}
SETS_PASSWORD = frozenset({Kind.FIRST, Kind.PASSWORD, Kind.BOTH})
SETS_FACTOR = frozenset({Kind.FIRST, Kind.FACTOR, Kind.BOTH})


def accept(token: str, *, password: str, code: str, repeated: str = "") -> Account:
    """Use an invitation. A new authenticator retires the old ones; a new password ends the old sessions.

    Args:
        password: the new one; for Kind.FACTOR the present one, since the link alone proves nothing.
        code: of the new authenticator; for Kind.PASSWORD of the present one.
        repeated: the new password again.

    Raises:
        InvitationDead, PasswordsDiffer, PasswordUnfit, SignInRefused, CodeRefused, CodeAlreadyUsed, SignInSlow.
    """
    invitation = invitations.find(token)
    try:
        return _accept(invitation, token, password, repeated, code)
    except Refused as refused:
        steps.record(refused, "enrolment.accept", by=invitation.account.username)
        raise


def check_new_password(password: str, repeated: str, account: Account | None = None) -> None:
    """Whether a new password may be taken; compared exactly as typed.

    Raises:
        PasswordsDiffer, PasswordUnfit.
    """
    if password != repeated:
        raise PasswordsDiffer
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise PasswordUnfit(reasons=" ".join(error.messages)) from error


def _accept(invitation: Invitation, token: str, password: str, repeated: str, code: str) -> Account:
    if invitation.kind in SETS_PASSWORD:
        check_new_password(password, repeated, invitation.account)
    lanes = [throttle.lane("code", f"invitation {invitation.pk}")]
    throttle.enter(lanes)
    change = _password_change(invitation, password)  # hashes: before the transaction
    with steps.changing():
        invitation = _lock(invitation)
        account = invitation.account
        change(account)
        _change_factor(invitation, token, code)
        invitation.used_at = clock.now()
        invitation.save(update_fields=["used_at"])
        said = _("A link was used: {what}.").format(what=invitation.get_kind_display())
        news.tell(person=account.person, by=account.username, said=said)
        log.append(EVENTS[Kind(invitation.kind)], by=account.username, kind=invitation.kind, invitation=invitation.pk)
    throttle.give_back(lanes)
    return account


def _password_change(invitation: Invitation, password: str) -> Callable[[Account], None]:
    if invitation.kind not in SETS_PASSWORD:
        if not invitation.account.check_password(password):
            raise SignInRefused
        return lambda _account: None
    hashed = make_password(password)

    def change(account: Account) -> None:
        account.password, account.is_active = hashed, True
        account.save(update_fields=["password", "is_active"])

    return change


def _change_factor(invitation: Invitation, token: str, code: str) -> None:
    if invitation.kind not in SETS_FACTOR:
        factors.verify(invitation.account, code)
        return
    factors.retire_all(invitation.account, at=clock.now())
    name = f"{factors.ISSUER} {invitation.pk}"
    authenticator, _uri = factors.enrol(invitation.account, name=name, seed=invitations.seed_of(token))
    factors.confirm(authenticator, code)


def _lock(invitation: Invitation) -> Invitation:
    # Two tabs: the second one waits here and then finds the link used.
    Invitation.objects.select_for_update().get(pk=invitation.pk)
    invitation = Invitation.objects.select_related("account__person").get(pk=invitation.pk)
    if not invitations.is_alive(invitation, clock.now()):
        raise InvitationDead
    return invitation
