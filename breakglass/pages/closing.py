"""Pages of the end: take access away, seal the evidence, write the post-mortem, close."""

from django.forms import Form
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from breakglass.pages import wizard
from breakglass.pages.change_forms import (
    AbsenceForm,
    DoneForm,
    ExportForm,
    PostMortemForm,
    ReviewForm,
    UploadForm,
    WaiveForm,
)
from breakglass.people.models import DutyName
from breakglass.procedure import evidence, postmortem, revocation, sealing, waiting
from breakglass.procedure.models import Bundle, Incident, RevocationItem
from breakglass.procedure.position import Standing
from breakglass.procedure.states import State
from recovery.doors import premade


@wizard.page("revoke", "breakglass/revoke.html")
def revoke(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """Every temporary login, network rule and secret, and who takes it away."""
    incident = standing.incident
    items = revocation.items(incident)
    is_open = incident.state in revocation.REVOCABLE
    is_security = DutyName.SECURITY in wizard.somebody(request.user).duties
    return {
        "items": [(item, revocation.is_finished(item), revocation.is_mandatory(item)) for item in items],
        "closing": closing_statements(incident) if is_open else [],
        "left": revocation.open_titles(incident) if is_open else [],
        "is_open": is_open,
        "may_waive": is_open and is_security and not revocation.had_part(incident, request.user),
        "done_form": DoneForm(),
        "waive_form": WaiveForm(),
    }


def closing_statements(incident: Incident) -> list[tuple[str, str]]:
    """For each login that a database administrator still has to close: its item's title and the line to run."""
    return [(opened.title, premade.statements(opened).close) for opened in waiting.unproven(incident)]


@wizard.action(revoke)
def prepare(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """List what has to be taken away."""
    revocation.prepare(incident, by=request.user)
    return wizard.done(request, incident, "revoke")


def _item(incident: Incident, number: int) -> RevocationItem:
    found = incident.revocation_items.select_related("incident").filter(pk=number).first()
    if found is None:
        raise Http404(number)
    return found


@wizard.action(revoke)
def check_login(request: HttpRequest, incident: Incident, form: None, number: int) -> HttpResponse:
    """Ask the platform once more whether the temporary login is gone."""
    item = revocation.check_login(_item(incident, number), by=request.user)
    return wizard.done(request, incident, "revoke", _("%(title)s is proven gone.") % {"title": item.title})


@wizard.action(revoke, DoneForm)
def item_done(request: HttpRequest, incident: Incident, form: Form, number: int) -> HttpResponse:
    """Record that an item is taken away, with what shows it."""
    item = revocation.done(_item(incident, number), by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "revoke", _("%(title)s is done.") % {"title": item.title})


@wizard.action(revoke, WaiveForm)
def waive(request: HttpRequest, incident: Incident, form: Form, number: int) -> HttpResponse:
    """Security, without part in the incident, lets an item wait until a day."""
    item = revocation.waive(_item(incident, number), by=request.user, **form.cleaned_data)
    said = _("%(title)s may wait until %(day)s.") % {"title": item.title, "day": item.waived_until.isoformat()}
    return wizard.done(request, incident, "revoke", said)


@wizard.action(revoke)
def finish(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """Everything is taken away."""
    revocation.finish(incident, by=request.user)
    return wizard.done(request, incident, "evidence", _("Break-glass access is revoked."))


@wizard.page("evidence", "breakglass/evidence.html")
def evidence_page(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """What is collected, what is missing, and the sealed bundles."""
    incident = standing.incident
    return {
        "items": evidence.items(incident),
        "missing": sealing.missing_kinds(incident),
        "bundles": list(Bundle.objects.filter(incident=incident).select_related("account").order_by("-id")),
        "may_seal": incident.state in sealing.SEALABLE,
        "may_add": incident.state in evidence.OPEN_FOR_EVIDENCE,
        "upload_form": UploadForm(),
        "absence_form": AbsenceForm(),
        "export_form": ExportForm(),
    }


@wizard.action(evidence_page)
def collect(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """Let the console add what it can testify itself."""
    evidence.collect(incident, by=request.user)
    return wizard.done(request, incident, "evidence", _("The console added what it knows itself."))


@wizard.action(evidence_page, UploadForm)
def upload(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Add a file."""
    given = form.cleaned_data
    item = evidence.upload(
        incident,
        by=request.user,
        kind=given["kind"],
        name=given["file"].name,
        data=given["file"].read(),
        request_ids=given["request_ids"].split(),
    )
    return wizard.done(request, incident, "evidence", _("Added: %(name)s.") % {"name": item.name})


@wizard.action(evidence_page, AbsenceForm)
def absence(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Say why a kind of evidence does not exist."""
    evidence.state_absence(incident, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "evidence", _("Your reason is part of the evidence."))


@wizard.action(evidence_page)
def seal(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """Write and verify the bundle."""
    evidence.seal(incident, by=request.user)
    return wizard.done(request, incident, "evidence", _("The evidence is sealed."))


@wizard.action(evidence_page, ExportForm)
def export(request: HttpRequest, incident: Incident, form: Form, number: int) -> HttpResponse:
    """Hand the bundle out, byte for byte as it was sealed."""
    found = Bundle.objects.select_related("incident").filter(incident=incident, pk=number).first()
    if found is None:
        raise Http404(number)
    content = evidence.export(found, by=request.user, code=form.cleaned_data["code"])
    name = f"{incident.reference}-bundle-{found.pk}.zip"
    return FileResponse(content, as_attachment=True, filename=name, content_type="application/zip")


@wizard.page("post-mortem", "breakglass/post_mortem.html")
def post_mortem(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """The four boxes with content, Security's review, and the closing."""
    incident = standing.incident
    progress = postmortem.progress(incident)
    paper = progress.paper
    boxes = ("root_cause", "permissions_review", "backlog_item", "backlog_url")
    start = {name: getattr(paper, name) for name in boxes} if paper else {}
    is_security = DutyName.SECURITY in wizard.somebody(request.user).duties
    return {
        "paper": paper,
        "post_mortem_form": PostMortemForm(initial=start),
        "reviews": list(incident.reviews.select_related("account")),
        "review_due_at": postmortem.review_due_at(incident),
        "may_review": is_security and not revocation.had_part(incident, request.user),
        "review_form": ReviewForm(),
        "bundle": sealing.latest(incident),
        "missing": progress.missing,
        "may_write": incident.state in postmortem.AFTER_CHANGE,
        "may_close": incident.state == State.SEALED,
    }


@wizard.action(post_mortem, PostMortemForm)
def write(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Keep the boxes; empty ones may follow later."""
    postmortem.write(incident, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "post-mortem", _("The post-mortem is kept, with all earlier versions."))


@wizard.action(post_mortem, PostMortemForm)
def draft_review(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Fill the permission review with all owners of the platform as they are now; nothing is kept yet."""
    draft = postmortem.permissions_draft(incident, by=request.user)
    written = form.cleaned_data["permissions_review"].strip()
    text = f"{written}\n\n{draft}".strip()
    again = PostMortemForm(initial={**form.cleaned_data, "permissions_review": text})
    return post_mortem.show(request, incident, post_mortem_form=again, is_draft=True)


@wizard.action(post_mortem, ReviewForm)
def review(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Security's review, by somebody without part in the incident."""
    postmortem.review(incident, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "post-mortem", _("Your review is recorded."))


@wizard.action(post_mortem)
def close(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """Close the incident for ever."""
    postmortem.close(incident, by=request.user)
    return wizard.done(request, incident, "post-mortem", _("The incident is closed, and that is final."))
