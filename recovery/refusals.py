"""Every foreseen "no" of the platform side, each with its sentence: what happened, what was not done, what to do now."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused


class ProfileRefused(Refused):
    code = "profile_refused"
    happened = _("The profile {file} cannot be used. {key}: {reason}.")
    undone = _("Nothing was sent to the platform.")
    remedy = _("Correct the profile and look at it again with: manage.py platform check NAME.")


class UnknownPlatform(Refused):
    code = "unknown_platform"
    happened = _("No platform is called {name}. Known are: {known}.")
    undone = _("Nothing was sent to any platform.")
    remedy = _("Choose one of the names, or add the platform to the platform file.")


class PlatformFileBroken(Refused):
    code = "platform_file_broken"
    happened = _("The platform file {file} cannot be used. {key}: {reason}.")
    undone = _("Nothing was sent to any platform.")
    remedy = _("Ask who looks after the console to correct the file; it counts from the next click.")


class ConnectionMissing(Refused):
    code = "connection_missing"
    happened = _("The console has no {login} connection for {platform}: {source} gives none ({why}).")
    undone = _("Nothing was sent to the platform.")
    remedy = _("Ask who looks after the console to set it, then start the web, worker and keeper processes again.")


class PepperMissing(Refused):
    code = "pepper_missing"
    happened = _("The console cannot make a password hash for {platform}: {source} gives no pepper ({why}).")
    undone = _("Nothing was changed on the platform, and no password was kept.")
    remedy = _("Let who looks after the console set it as the platform has it, then try again.")


class SecretFileOpen(Refused):
    code = "secret_file_open"
    happened = _("The secret file {file} is not safe: {why}.")
    undone = _("It was not read, and nothing was sent to the platform.")
    remedy = _(
        "Give it to the console's user with mode 0600, and change the password that it holds: others may know it."
    )


class PepperFileOpen(SecretFileOpen):
    code = "pepper_file_open"
    happened = _("The pepper file {file} is not safe: {why}.")
    remedy = _(
        "Give it to the console's user with mode 0600, and find out who may have read it. "
        "Do not change the pepper itself: every account's password depends on it."
    )


class TicketRefused(Refused):
    code = "ticket_refused"
    happened = _("{ticket} does not look like a ticket of this platform, such as {pattern}.")
    undone = _("Nothing was recorded.")
    remedy = _("Open a ticket first and type its reference here.")


class PasswordRefused(Refused):
    code = "password_refused"
    happened = _("This password cannot be set: {reason}.")
    undone = _("Nothing was changed on the platform, and the password was not kept.")
    remedy = _("Choose another one.")


class SchemeUnknown(Refused):
    code = "scheme_unknown"
    happened = _("The platform stores passwords in a form that the console cannot make: {prefix}.")
    undone = _("Nothing was changed on the platform.")
    remedy = _(
        'In the profile, name a form that the platform reads under [password] default with scheme = "default", '
        'or declare its own with scheme = "declared"; then make a new plan.'
    )


class KeeperSilent(Refused):
    code = "keeper_silent"
    happened = _("The keeper has not answered for {seconds} seconds, so the platform's door stays shut.")
    undone = _("No access was opened and nothing was changed.")
    remedy = _("Start the keeper process (manage.py keeper) and press the button again while the window is open.")


class MandateRefused(Refused):
    code = "mandate_refused"
    happened = _("The keeper gave no mandate: {reason}")
    undone = _("No access was opened and nothing was changed.")
    remedy = _("Mend what it names; the keeper looks into the records itself and cannot be talked round.")


class DoorShut(Refused):
    code = "door_shut"
    happened = _("The platform's door did not open: {reason}.")
    undone = _("No access was opened and nothing was changed.")
    remedy = _("Compare the clocks and the keeper's key (manage.py platform check NAME), then press the button again.")


class AccessNotProven(Refused):
    code = "access_not_proven"
    happened = _("The temporary login {role} could not be proven gone: {why}.")
    undone = _("The incident stays open at this point; the worker goes on closing it.")
    remedy = _("If it stays, let the platform's database administrator run “DROP ROLE {role};” by hand.")


class PremadeNotClosed(Refused):
    code = "premade_not_closed"
    happened = _("The temporary login {role} is not ready to be opened: {why}.")
    undone = _("No access was prepared and nothing was changed.")
    remedy = _(
        "Let the platform's database administrator run the script of “manage.py platform grants NAME”: it closes the role."
    )


class AccessNotOpenAsAsked(Refused):
    code = "access_not_open_as_asked"
    happened = _("The temporary login {role} is not open as it was asked for: {why}.")
    undone = _("The console did not use it, and nothing was changed.")
    remedy = _(
        "Let the platform's database administrator run the opening statement exactly as shown; the closing one first, if the"
        " login is open in another way."
    )


class AccessNotClosed(Refused):
    code = "access_not_closed"
    happened = _("The temporary login {role} could not be proven closed: {why}.")
    undone = _("The incident stays open at this point; the worker goes on asking.")
    remedy = _("Let the platform's database administrator run the closing line: {statement} Then look again.")


class AccessNotPrepared(Refused):
    code = "access_not_prepared"
    happened = _("The temporary login was not prepared for this run, or it was given up.")
    undone = _("Nothing was changed.")
    remedy = _("Press “Prepare the access”, and let the database administrator open it.")
