"""The practice inbox: everything that was told to people, as they would have got it. On practice consoles only."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from breakglass.pages import wizard
from breakglass.procedure.models import Message

PER_PAGE = 30


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The newest messages with their deliveries."""
    if not settings.PRACTICE:
        raise Http404
    wizard.require_duty(request.user)
    told = Message.objects.select_related("incident").prefetch_related("deliveries").order_by("-id")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        told = told.filter(pk__lt=int(before))
    page = list(told[: PER_PAGE + 1])
    older = page[PER_PAGE - 1].pk if len(page) > PER_PAGE else None
    return render(request, "breakglass/inbox.html", {"nav": "inbox", "messages_told": page[:PER_PAGE], "older": older})
