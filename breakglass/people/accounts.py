"""Disabling an account: one person of Security, at once. It comes back only through two people (see invitations)."""

from django.utils.translation import gettext as _

from audit import clock, events, log
from breakglass.people import duties, factors, invitations, news
from breakglass.people.models import Account, DutyName
from breakglass.people.refusals import SomebodyWasFaster
from breakglass.people.steps import changing, step


@step
def disable(account: Account, *, by: Account) -> Account:
    """Disable an account: its sessions end at the next request, its authenticators and links for ever.

    Raises:
        DutyMissing, AccountDisabled, PracticeWall: who disables may not.
        SomebodyWasFaster: it is disabled already.
        SecurityPairNeeded: nobody could confirm anything afterwards.
    """
    with changing():
        duties.require_security(by)
        duties.require_same_world(account.person, by)
        account = Account.objects.select_for_update(of=["self"]).select_related("person").get(pk=account.pk)
        if not account.is_active:
            raise SomebodyWasFaster
        if duties.live(DutyName.SECURITY).filter(person=account.person_id).exists():
            duties.require_pair_without(account.person)
        moment = clock.now()
        account.is_active = False
        account.save(update_fields=["is_active"])
        factors.retire_all(account, at=moment)
        invitations.void_all(account, at=moment)
        news.tell(person=account.person, by=by.username, said=_("The account was disabled."))
        log.append(events.ACCOUNT_DISABLED, by=by.username, account=account.username, person=account.person_id)
    return account
