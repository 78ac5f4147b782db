"""What pages show and press where a database administrator does something by hand: opens and closes a login, or runs a script."""

from collections.abc import Callable
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from breakglass.pages import rollback, running, wizard
from breakglass.pages.by_hand_forms import ReceiptForm, ScriptForm, UnreachableForm, UseForm
from breakglass.pages.change_forms import RunForm
from breakglass.procedure import accesses, papers
from breakglass.procedure.models import Incident
from recovery.models import Run, RunState

Press = Callable[..., HttpResponse]


@wizard.action(running.execute, RunForm)
def prepare(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Have the keeper agree to one opening of the login, so that its statement can be shown."""
    accesses.prepare(incident, by=request.user, code=form.cleaned_data["code"])
    return wizard.done(request, incident, "execute")


@wizard.action(rollback.rollback, UseForm)
def disable_with(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Disable the account through the login that the database administrator has opened."""
    accesses.disable(incident, by=request.user, code=form.cleaned_data["code"])
    return wizard.done(request, incident, "rollback")


def access_presses(page: wizard.Page) -> tuple[Press, Press, Press]:
    """Look whether the login is open, give it up, look whether it is closed: on both pages alike."""

    @wizard.action(page)
    def look(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
        accesses.verify(incident, by=request.user)
        return wizard.done(request, incident, page.key, _("The login is open exactly as asked."))

    @wizard.action(page)
    def give_up(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
        accesses.give_up(incident, by=request.user)
        return wizard.done(request, incident, page.key)

    @wizard.action(page)
    def look_closed(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
        accesses.check_closed(incident, by=request.user)
        return wizard.done(request, incident, page.key, _("The login is proven closed."))

    return look, give_up, look_closed


def paper_presses(page: wizard.Page) -> tuple[Press, Press, Press, Press]:
    """Show the script, bring its receipt, look without one, put it to a person: on both pages alike."""

    @wizard.action(page, ScriptForm)
    def show(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
        """The script stands in this answer only; nothing keeps it that a redirect could lead to."""
        text = papers.show(incident, by=request.user, code=form.cleaned_data["code"])
        if "download" in request.POST:
            return _file(incident, text)
        return page.show(request, incident, script_text=text)

    @wizard.action(page, ReceiptForm)
    def bring(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
        run = papers.bring(incident, by=request.user, text=form.cleaned_data["receipt"])
        return wizard.done(request, incident, page.key, said_of(run))

    @wizard.action(page)
    def look(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
        run = papers.look(incident, by=request.user)
        return wizard.done(request, incident, page.key, said_of(run))

    @wizard.action(page, UnreachableForm)
    def to_a_person(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
        papers.put_to_a_person(incident, by=request.user, text=form.cleaned_data["receipt"])
        return wizard.done(
            request, incident, page.key, _("Somebody of Security without part in the incident decides now.")
        )

    return show, bring, look, to_a_person


def _file(incident: Incident, text: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="application/sql; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{incident.reference}.sql"'
    return answer


def said_of(run: Run) -> Any:
    """What looking at the platform has brought."""
    said = {
        RunState.COMMITTED: _("The platform shows it: the change was made."),
        RunState.ABORTED: _("The platform shows it: nothing was changed."),
        RunState.NEEDS_HUMAN: _("The platform was asked, and it cannot be told from its answer."),
    }
    return said.get(RunState(run.state), _("Nothing shows yet that the script was run."))


look, give_up, look_closed = access_presses(running.execute)
look_undone, give_up_undone, look_closed_undone = access_presses(rollback.rollback)
show, bring, look_paper, to_a_person = paper_presses(running.execute)
show_undone, bring_undone, look_paper_undone, to_a_person_undone = paper_presses(rollback.rollback)
