"""What a platform's database may answer instead of doing what it was asked, each as a sentence for a tired operator."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused


class PlatformRefused(Refused):
    """Whatever a platform's database refuses; the kinds below say it better where it is known."""

    code = "platform_refused"
    happened = _("The platform's database refused ({state}): {message}.")
    undone = _("Nothing was changed on the platform.")
    remedy = _("Show this sentence to the platform's database administrator, then make a new plan.")


class PlatformUnreachable(PlatformRefused):
    code = "platform_unreachable"
    happened = _("The platform's database does not answer: {message}.")
    remedy = _("Check the network path and that the database runs, then try again.")


class PlatformLoginRefused(PlatformRefused):
    code = "platform_login_refused"
    happened = _("The platform's database refused the console's login for {purpose}: {message}.")
    remedy = _("Compare the connection in the platform file with the login that the set-up script made.")


class PoolerBetween(PlatformRefused):
    """A pooler hands sessions on: settings leak or vanish, and a login that has ended is still let in."""

    code = "pooler_between"
    happened = _(
        "The console's connection for {purpose} leads to a connection pooler, not to the platform's database itself."
    )
    remedy = _(
        "Write the address of the database server into the connection (not that of PgBouncer or another pooler)."
    )


class ConnectionLost(PlatformRefused):
    code = "connection_lost"
    happened = _("The connection to the platform broke in the middle: {message}.")
    undone = _("Nothing was changed: the change had not been sent off, and the platform takes back what is half done.")
    remedy = _("Wait until the platform answers, then try again.")


class OutcomeUnknown(PlatformRefused):
    code = "outcome_unknown"
    happened = _("The connection broke while the platform was told to keep the change, so the result is unknown yet.")
    undone = _("Nothing else was sent.")
    remedy = _("Do not start anew. The console asks the platform again and records what it finds.")


class PlatformSlow(PlatformRefused):
    code = "platform_slow"
    happened = _("The platform needed longer than {seconds} seconds for one statement and was told to stop.")
    remedy = _("Look at what keeps the platform busy, then try again while the window is open.")


class RowLocked(PlatformRefused):
    code = "row_locked"
    happened = _("Somebody else holds a lock on what this statement needs: {blocker}.")
    remedy = _("Let that session finish or end it, then try again while the window is open.")


class PlatformBusy(PlatformRefused):
    """A serialization failure or a deadlock: the one answer after which a run tries once more by itself."""

    code = "platform_busy"
    happened = _("Another session changed the same rows at the same moment ({state}).")
    remedy = _("Try again; if it happens again, look at what the platform is doing with this account.")


class RightMissing(PlatformRefused):
    code = "right_missing"
    happened = _("The console's login for {purpose} lacks a right on the platform: {message}.")
    remedy = _("Let the platform's database administrator run the script of: manage.py platform grants NAME.")


class NameMissing(PlatformRefused):
    code = "name_missing"
    happened = _("The platform does not have what the profile names: {message}.")
    remedy = _("The platform's schema has changed. Correct the profile, then make a new plan.")


class RuleBroken(PlatformRefused):
    code = "rule_broken"
    happened = _("A rule of the platform's own tables refuses the change: {rule} on {table}.")
    remedy = _("Make a new plan that keeps this rule; a new login may already be taken.")


class PlatformReadOnly(PlatformRefused):
    code = "platform_read_only"
    happened = _("The platform's database takes no changes: it is read-only or a standby.")
    remedy = _("Point the platform file at the primary server, then try again.")


class WrongPlatform(PlatformRefused):
    code = "wrong_platform"
    happened = _("The connection leads to {found}, but {wanted} was approved.")
    remedy = _("Correct the connection in the platform file, or make a new plan for this database.")


class ValueRefused(PlatformRefused):
    code = "value_refused"
    happened = _("A value cannot be sent to the platform's database: {message}.")
    remedy = _("Type it again without invisible or broken characters.")
