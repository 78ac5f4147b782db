"""Makes the first two people, by humans at a terminal on the host. Refuses once any person exists; a password is never an argument."""

import getpass
import sys
from typing import Any

import segno
from django.core.management.base import BaseCommand, CommandError

from audit import clock
from audit.refusals import Refused
from breakglass.people import enrolment, factors, founders
from breakglass.people.founders import Founder
from breakglass.people.models import DutyName, Person
from breakglass.people.refusals import PersonsExist, TerminalNeeded

OTHER_DUTIES = tuple(name for name in DutyName.values if name != DutyName.SECURITY)
INTRODUCTION = """This makes the first two people of the console. Both get the duty Security, so that together they
can add everybody else. Each of them should sit here for their own part, with an authenticator app at hand."""


class Command(BaseCommand):
    help = "Make the first two people (terminal only, once)."

    def handle(self, **_options: Any) -> None:
        try:
            self._handle()
        except Refused as refused:
            raise CommandError(refused.sentence) from refused

    def _handle(self) -> None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise TerminalNeeded
        if Person.objects.exists():
            raise PersonsExist
        self.stdout.write(INTRODUCTION)
        first = self._ask_person(1, taken="")
        second = self._ask_person(2, taken=first.username)
        made = founders.found([first, second])
        names = " and ".join(account.username for account in made)
        self.stdout.write(f"\nDone. {names} can sign in now. Everybody else is added on the page “People”.")

    def _ask_person(self, number: int, *, taken: str) -> Founder:
        self.stdout.write(f"\nPerson {number}")
        name = self._ask("Full name: ")
        contact = self._ask("Contact (e-mail or telephone): ")
        username = self._ask("Username: ").lower()
        while username == taken:
            username = self._ask("That is the first person's. Another username: ").lower()
        duties = self._ask_duties()
        password = self._ask_password()
        seed, step = self._ask_authenticator(username)
        return Founder(username, name, contact, duties, password, seed, step)

    def _ask(self, question: str) -> str:
        while not (answer := input(question).strip()):
            self.stdout.write("Please type something.")
        return answer

    def _ask_duties(self) -> tuple[str, ...]:
        question = f"Duties besides Security ({', '.join(OTHER_DUTIES)}; separated by spaces, or empty): "
        while True:
            named = input(question).lower().replace(",", " ").split()
            if set(named) <= set(OTHER_DUTIES):
                return (DutyName.SECURITY.value, *sorted(set(named)))
            self.stdout.write(f"Only these: {', '.join(OTHER_DUTIES)}.")

    def _ask_password(self) -> str:
        while True:
            password = getpass.getpass("Password (12 characters or more; it is not shown): ")
            try:
                enrolment.check_new_password(password, getpass.getpass("The same password again: "))
            except Refused as refused:
                self.stdout.write(refused.sentence)
            else:
                return password

    def _ask_authenticator(self, username: str) -> tuple[bytes, int]:
        seed = factors.new_seed()
        self.stdout.write("\nScan this with your authenticator app:")
        segno.make(factors.provisioning_uri(username, seed), error="l").terminal(out=sys.stdout, compact=True)
        self.stdout.write(f"or type this key into it: {factors.text_key(seed)}")
        while True:
            code = self._ask("The code that it shows now: ")
            step = factors.proven_step(seed, code, clock.now())
            if step is not None:
                return seed, step
            self.stdout.write("That is not the code of this moment. Wait for the next one and try again.")
