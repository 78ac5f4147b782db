"""Look at a platform, print its set-up script, show its profile or its doors' key, or guess a profile that is not there yet."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from psycopg.conninfo import conninfo_to_dict

from audit.refusals import Refused
from recovery import database, platforms, readiness
from recovery.connections import Connection
from recovery.doors import grants
from recovery.doors.mandates import door_key
from recovery.guessing import guesses
from recovery.platforms import Platform


class Command(BaseCommand):
    help = _(
        "check: what is missing. grants: the script for the DBA. show: what the profile says. key: the doors' key. "
        "guess: a first profile of an unknown platform."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("check", "grants", "show", "key", "guess"))
        parser.add_argument("name", nargs="?", default="", help=_("the platform's name in the platform file"))
        guess = parser.add_argument_group("guess")
        guess.add_argument(
            "--database-url-env", default="", metavar="VARIABLE", help=_("holds the connection, in place of a name")
        )
        guess.add_argument("--schema", default="public", help=_("where the software's tables are"))
        guess.add_argument("--new", action="store_true", help=_("write a profile even where a shipped one fits"))

    def handle(self, *args: Any, action: str, name: str, **options: Any) -> None:
        try:
            if action == "guess":
                self._guess(name, **options)
            elif not name:
                raise CommandError(_("Name the platform."))
            else:
                getattr(self, f"_{action}")(platforms.get(name))
        except Refused as refusal:
            raise CommandError(refusal.sentence) from refusal

    def _guess(self, name: str, *, database_url_env: str, schema: str, new: bool, **options: Any) -> None:
        """The profile goes to the output, so that it can be kept in a file; what is said about it goes beside it."""
        if bool(name) == bool(database_url_env):
            raise CommandError(_("Name a platform of the platform file, or a variable with --database-url-env."))
        variable = Connection(_("reading"), _("this database"), database_url_env, None)
        conninfo = platforms.get(name).conninfo("reader") if name else variable.read()
        answer = guesses.look(conninfo, schema=schema, is_new=new)
        if answer.text:
            self.stdout.write(answer.text, ending="")
        for sentence in answer.sentences:
            self.stderr.write(sentence)
        if not answer.text and not answer.shipped:
            raise CommandError(_("No profile could be guessed."))

    def _check(self, platform: Platform) -> None:
        found = readiness.look(platform)
        for mark, sentences in (("  ok  ", found.stands), (" note ", found.notes), (" MEND ", found.missing)):
            for sentence in sentences:
                self.stdout.write(f"{mark}{sentence}")
        if not found.is_ready:
            raise CommandError(_("{title} is not ready for a recovery.").format(title=platform.title))
        self.stdout.write(_("{title} is ready for a recovery.").format(title=platform.title))

    def _grants(self, platform: Platform) -> None:
        login = "broker" if platform.mode == "doors" else "reader"
        dbname = conninfo_to_dict(platform.conninfo(login)).get("dbname")
        if not dbname:
            raise CommandError(_("The {login}'s connection names no database.").format(login=login))
        given = {"database": str(dbname), "platform": platform.name, "mode": platform.mode}
        self.stdout.write(grants.script(platform.profile, **given))

    def _show(self, platform: Platform) -> None:
        profile = platform.profile
        self.stdout.write(f"{platform.title} ({platform.name}): {profile.title}, SHA-256 {profile.digest}")
        rule = profile.password
        self.stdout.write(f"{rule.column}: {rule.scheme}, {rule.formula or rule.default}")
        for kind, outcome in profile.outcomes.items():
            self.stdout.write(f"\n{kind}")
            for statement in outcome.statements:
                writes = ", ".join(sorted(column.name for column in statement.parsed.writes)) or statement.parsed.action
                self.stdout.write(f"  {statement.name}: {statement.table} ({writes}), {statement.expect}")

    def _key(self, platform: Platform) -> None:
        """On the keeper's host only, and only on a terminal: the key is a secret and goes into no file or pipe."""
        if not settings.KEEPER_KEY:
            raise CommandError(_("KEEPER_KEY is not set: ask for the key on the keeper's host."))
        if not sys.stdout.isatty():
            raise CommandError(_("The key is shown on a terminal only."))
        with database.reading(platform, platform.profile) as session:
            found = database.identity(session)
        place = {"system_identifier": found.system_identifier, "database_name": found.database_name}
        self.stdout.write(door_key(bytes.fromhex(settings.KEEPER_KEY.strip()), **place).hex())
