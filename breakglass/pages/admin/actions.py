"""Named actions on a read-only admin page: each is a button, a small form, and one step of the procedure. No rule lives here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from audit.admin import ReadOnlyAdmin
from audit.refusals import Refused
from breakglass.pages.wizard import status_of
from breakglass.people.models import DutyName


@dataclass(frozen=True)
class Named:
    """One action. `press(request, record, **well-made input)` calls a step; `fits(record)` decides if the button is worth showing.

    `said` is what is told afterwards, or gives it from what the step returned: a run may have changed nothing.
    `start(record)` gives what the form shows at first. Whether it is allowed is the step's to say.
    """

    name: str
    title: Any
    form_class: type[Form]
    press: Callable[..., Any]
    said: Any
    fits: Callable[[Any], bool]
    danger: bool = False
    start: Callable[[Any], dict[str, Any]] = lambda record: {}


class NamedActionsAdmin(ReadOnlyAdmin):
    """A read-only page of a record with buttons above it."""

    named: ClassVar[tuple[Named, ...]] = ()
    change_form_template = "admin/console/change_form.html"

    def get_urls(self) -> list:
        """The admin's own addresses, and one for the named actions of a record."""
        place = f"{self.opts.app_label}_{self.opts.model_name}_named"
        own = path("<path:object_id>/do/<slug:name>/", self.admin_site.admin_view(self.named_view), name=place)
        return [own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        record = self.get_object(request, unquote(object_id))
        context = {**(extra_context or {}), **(self.panel(request, record) if record else {})}
        return super().change_view(request, object_id, form_url, context)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list:
        """Only what has something to show."""
        return [
            one for one in super().get_inlines(request, obj) if one.model.objects.filter(**{one.fk_name: obj}).exists()
        ]

    def panel(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """What the page shows above the record."""
        buttons = [(named, self._address(record, named)) for named in self.named if named.fits(record)]
        return {"buttons": buttons if may_act(request) else []}

    def named_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """The form of one action, and the step when it is sent."""
        record = self.get_object(request, unquote(object_id))
        named = next((one for one in self.named if one.name == name), None)
        if record is None or named is None:
            raise Http404(name)
        if not may_act(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, record, named, named.form_class(initial=named.start(record)))
        return self._pressed(request, record, named)

    def _pressed(self, request: HttpRequest, record: Any, named: Named) -> HttpResponse:
        form = named.form_class(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, record, named, form, status=422)
        try:
            done = named.press(request, record, **form.cleaned_data)
        except Refused as refusal:
            return self._page(request, record, named, form, refusal=refusal, status=status_of(refusal))
        if callable(named.said):
            messages.info(request, str(named.said(done)))
        else:
            messages.success(request, str(named.said))
        return redirect(self._shown(record))

    def _page(
        self, request: HttpRequest, record: Any, named: Named, form: Form, *, status: int = 200, **extra: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": record,
            "title": named.title,
            "named": named,
            "form": form,
            "back": self._shown(record),
            **extra,
        }
        return TemplateResponse(request, "admin/console/action.html", context, status=status)

    def _shown(self, record: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[record.pk])

    def _address(self, record: Any, named: Named) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_named", args=[record.pk, named.name])


def may_act(request: HttpRequest) -> bool:
    """Compliance looks; Security also acts."""
    return request.user.person.has_duty(DutyName.SECURITY)


class RecordLine(admin.TabularInline):
    """Records of an incident, listed on its page. Nothing to add, change or delete."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """The records with what their columns name: one question for a whole list."""
        relations = {field.name for field in self.model._meta.fields if field.is_relation}
        return super().get_queryset(request).select_related(*relations.intersection(self.fields))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def line(model: type, *fields: str, **shown: Callable[..., Any]) -> type[RecordLine]:
    """An inline class for `model` that shows `fields`; `shown` gives those that are no columns."""
    shape = {"model": model, "fields": fields, "readonly_fields": fields, "fk_name": "incident", **shown}
    return type(f"{model.__name__}Line", (RecordLine,), {**shape, "__module__": __name__})
