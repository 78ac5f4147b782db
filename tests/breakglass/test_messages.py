"""Messages: told in the step's transaction, delivered once per channel, every attempt on record, no secret in any of it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from audit import log
from breakglass.procedure import channels, messages
from breakglass.procedure.models import Delivery, Message
from tests import builders

pytestmark = pytest.mark.django_db


class Post(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))
        self.server.arrived.set()
        self.server.may_answer.wait(10)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Silence: the tests look at what was received."""


@pytest.fixture
def hook(settings) -> Iterator[ThreadingHTTPServer]:
    """A web hook that takes messages, and a channel that leads to it with a secret in its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Post)
    server.received, server.status = [], 200
    server.arrived, server.may_answer = threading.Event(), threading.Event()
    server.may_answer.set()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.MESSAGE_CHANNELS = [f"hook=json://user:channel-secret@127.0.0.1:{server.server_port}/path-secret"]
    yield server
    server.may_answer.set()
    server.shutdown()
    thread.join()
    server.server_close()


@transaction.atomic
def told(incident=None) -> Message:
    return messages.tell(messages.Kind.WINDOW_OPENED, incident=incident, subject="A window", body="It is open.")


def test_message_and_its_job_are_made_together(hook):
    message = told()

    job = ProcrastinateJob.objects.get(task_name="deliver")
    assert job.args == {"message_id": message.pk, "channel": "hook"}


def test_step_that_is_rolled_back_tells_nobody(hook):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        told()
        raise ZeroDivisionError

    assert not Message.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_message_arrives_with_subject_and_body(hook):
    message = told()

    messages.deliver(message_id=message.pk, channel="hook")

    assert [(one["title"], one["message"]) for one in hook.received] == [("A window", "It is open.")]
    assert Delivery.objects.get().delivered


def test_message_leads_to_the_incident_behind_the_sign_in(platform):
    incident = builders.opened(platform)

    message = told(incident)

    assert message.body.endswith(f"http://testserver/incidents/{incident.reference}/")


def test_second_job_for_the_same_message_sends_nothing(hook):
    message = told()

    for _worker in range(2):
        messages.deliver(message_id=message.pk, channel="hook")

    assert len(hook.received) == 1


def test_two_workers_with_the_same_job_send_once(hook):
    message = told()
    hook.may_answer.clear()
    first = threading.Thread(target=_deliver_and_leave, args=[message.pk])
    first.start()
    assert hook.arrived.wait(10)

    with pytest.raises(messages.DeliveryBusy):
        messages.deliver(message_id=message.pk, channel="hook")

    hook.may_answer.set()
    first.join()
    assert len(hook.received) == 1


def _deliver_and_leave(message_id: int) -> None:
    messages.deliver(message_id=message_id, channel="hook")
    connections.close_all()


def test_failed_attempt_is_recorded_and_tried_again(hook):
    message = told()
    hook.status = 500
    with pytest.raises(channels.ChannelFailed):
        messages.deliver(message_id=message.pk, channel="hook")
    hook.status = 200

    messages.deliver(message_id=message.pk, channel="hook")

    attempts = list(Delivery.objects.values_list("attempt", "delivered").order_by("attempt"))
    assert attempts == [(1, False), (2, True)]


def test_each_attempt_is_in_the_log(hook, platform):
    incident = builders.opened(platform)
    message = told(incident)

    messages.deliver(message_id=message.pk, channel="hook")

    entry = json.loads(log.lines(incident.reference)[-1])
    assert (entry["event"], entry["channel"], entry["by"]) == ("message.sent", "hook", "worker")


def test_error_of_a_channel_hides_its_address(hook, settings):
    hook.shutdown()
    hook.server_close()
    message = told()

    with pytest.raises(channels.ChannelFailed):
        messages.deliver(message_id=message.pk, channel="hook")

    error = Delivery.objects.get().error
    assert error
    assert "secret" not in error


def test_job_holds_no_address_of_a_channel(hook):
    told()

    assert "secret" not in json.dumps(ProcrastinateJob.objects.get().args)


@pytest.mark.parametrize(
    "entry",
    ["hook=file:///etc/passwd", "hook=exec://reboot", "json://127.0.0.1/", "=json://127.0.0.1/", "hook=dbus://"],
)
def test_channel_with_a_scheme_off_the_list_or_without_a_name_is_refused(settings, entry):
    settings.MESSAGE_CHANNELS = [entry]

    with pytest.raises(ImproperlyConfigured):
        channels.configured()


def test_two_channels_of_one_name_are_refused(settings):
    settings.MESSAGE_CHANNELS = ["hook=json://127.0.0.1/", "hook=json://127.0.0.2/"]

    with pytest.raises(ImproperlyConfigured):
        channels.configured()


def test_channel_that_left_the_settings_fails_with_a_sentence(settings):
    settings.MESSAGE_CHANNELS = []
    message = told()

    with pytest.raises(channels.ChannelFailed, match="no longer configured"):
        messages.deliver(message_id=message.pk, channel="gone")


def test_representation_of_a_channel_hides_its_address(settings):
    settings.MESSAGE_CHANNELS = ["hook=json://user:channel-secret@127.0.0.1/"]

    assert "secret" not in repr(channels.configured())
