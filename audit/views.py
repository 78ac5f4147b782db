"""Pages of the log. They show and hand out; nothing here changes anything, and none guards itself."""

import json
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from audit import blobs, events
from audit.models import Blob, Entry
from audit.refusals import BlobDamaged

PAGE_LENGTH = 50
LARGEST_NUMBER = 2**63 - 1
HARMLESS = "default-src 'none'; sandbox"  # a kept file is foreign content: no browser may run it in our name


class LogFilter(forms.Form):
    """Which entries to show; `before` is the number that the previous page ended with."""

    incident = forms.CharField(label=_("Incident"), required=False, max_length=100)
    event = forms.ChoiceField(
        label=_("Event"), required=False, choices=[("", _("all")), *((name, name) for name in sorted(events.ALL))]
    )
    by = forms.CharField(label=_("By"), required=False, max_length=150)
    before = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_NUMBER, widget=forms.HiddenInput)

    def entries(self) -> QuerySet[Entry]:
        """The chosen entries, newest first; none when the filter is not well made."""
        if not self.is_valid():
            return Entry.objects.none()
        chosen = {name: self.cleaned_data[name] for name in ("incident", "event", "by") if self.cleaned_data[name]}
        before = self.cleaned_data["before"]
        return Entry.objects.filter(**chosen, **({} if before is None else {"seq__lt": before})).order_by("-seq")


@require_safe
def log_page(request: HttpRequest) -> HttpResponse:
    """The log, newest first, fifty entries a page."""
    chosen = LogFilter(request.GET, label_suffix="")
    found = list(chosen.entries()[: PAGE_LENGTH + 1])
    shown = found[:PAGE_LENGTH]
    older = request.GET.copy()
    older["before"] = str(shown[-1].seq) if shown else ""
    context = {"filter": chosen, "entries": shown, "older": older.urlencode() if len(found) > PAGE_LENGTH else ""}
    return render(request, "audit/log.html", context)


@require_safe
def entry_page(request: HttpRequest, seq: int) -> HttpResponse:
    """One entry: what it says, the files that it names, and the exact line."""
    entry = get_object_or_404(Entry, seq=seq)
    facts = [(key, _shown(value)) for key, value in entry.facts.items() if key != "evidence"]
    return render(request, "audit/entry.html", {"entry": entry, "facts": facts})


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


@require_safe
def blob_download(request: HttpRequest, sha256: str) -> HttpResponse:
    """A kept file, hashed again before it is handed out, always as a download that no browser opens."""
    blob = get_object_or_404(Blob, sha256=sha256)
    try:
        content = blobs.read(sha256)
    except BlobDamaged as refusal:
        return render(request, "audit/damaged.html", {"refusal": refusal}, status=409)
    headers = {
        "Content-Disposition": content_disposition_header(True, blob.name) or "attachment",
        "Content-Security-Policy": HARMLESS,
    }
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)
