"""A foreseen "no" carries its own sentence. The wording stands here, never in a view."""

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """A foreseen no: what happened, what was not done, what to do now.

    Each kind is a class with sentences of its own; {placeholders} are filled from the facts given when it is raised.
    A missing fact raises KeyError at once, so that the test which reaches the refusal finds it.
    """

    code = "refused"
    happened: Any = _("This was refused.")
    undone: Any = _("Nothing was changed.")
    remedy: Any = _("Go back to the incident's page and see which step is open.")

    def __init__(self, **facts: Any) -> None:
        kind = type(self)
        self.facts = facts
        self.happened = format_lazy(kind.happened, **facts)
        self.undone = format_lazy(kind.undone, **facts)
        self.remedy = format_lazy(kind.remedy, **facts)
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The whole answer in the reader's language."""
        return " ".join(part for part in (str(self.happened), str(self.undone), str(self.remedy)) if part)

    def __str__(self) -> str:
        return self.sentence


class ClockMovedBack(Refused):
    code = "clock_moved_back"
    happened = _("The database's clock went back: it shows {now}, but {mark} had already been seen.")
    undone = _("Nothing was changed, and every window counts as closed.")
    remedy = _(
        "Ask the database's operator to set the clock right; the console goes on when it has passed that moment."
    )


class LogBusy(Refused):
    code = "log_busy"
    happened = _("Another step held the console's clock or log for more than ten seconds.")
    remedy = _("Try again in a moment. If it stays, ask the database's operator which session holds the lock.")


class LogOutOfOrder(Refused):
    code = "log_out_of_order"
    happened = _("The log did not take the entry, because it does not follow the incident's last one.")
    undone = _("Nothing was changed: without an entry there is no action.")
    remedy = _("Try again. If it stays, call Security: somebody may be writing to the log by hand.")


class EntryTooLarge(Refused):
    code = "entry_too_large"
    happened = _("The log entry would have {size} bytes; {limit} are allowed.")
    undone = _("Nothing was changed: without an entry there is no action.")
    remedy = _("Shorten the text, and add what is long as an evidence file.")


class BlobTooLarge(Refused):
    code = "blob_too_large"
    happened = _("The file has {size} bytes; {limit} are allowed.")
    undone = _("It was not kept.")
    remedy = _("Cut it to the time of the incident and add the parts one by one.")


class BlobMissing(Refused):
    code = "blob_missing"
    happened = _("No kept file has the SHA-256 {sha256}.")
    undone = _("Nothing was read.")
    remedy = _("Compare the number with the one in the log entry.")


class BlobDamaged(Refused):
    code = "blob_damaged"
    happened = _("The kept file {sha256} no longer has the content that the log names.")
    undone = _("It was not handed out.")
    remedy = _("Call Security: somebody with rights on the database has changed it. Compare with a backup.")


class NothingToBundle(Refused):
    code = "nothing_to_bundle"
    happened = _("The log has no entry for the incident {incident}.")
    undone = _("No bundle was written.")
    remedy = _("Check the incident's reference.")


class EvidenceNameTaken(Refused):
    code = "evidence_name_taken"
    happened = _("Two entries name different files {file}.")
    undone = _("No bundle was written.")
    remedy = _("Call Security: the console gives each evidence file a name of its own.")
