"""Every foreseen "no" to what was typed for an outcome because the console or the platform knows somebody by it already."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused


class ContactOfAnother(Refused):
    code = "contact_of_another"
    happened = _("The console knows {name} by this contact, and another name was typed.")
    remedy = _("Give the person's own contact. If it is {name} who will hold the account, choose or type that name.")


class LoginOfAnOwner(Refused):
    code = "login_of_an_owner"
    happened = _("{login} is no new login: the latest diagnosis lists it as the owner {owner}.")
    remedy = _("For {owner} choose B or C. For somebody else type a login that no owner has in any spelling.")
