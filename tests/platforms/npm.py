"""Software from npm: the same as any other, but for its installation."""

import json
import os
from pathlib import Path

from tests.platforms.software import Software


class NpmSoftware(Software):
    """requirements are npm's own, such as `name@1.2.3`; program is one of node_modules/.bin."""

    @property
    def bin(self) -> Path:
        return self.folder / "node_modules" / ".bin"

    def install(self) -> None:
        """Bring it from npm into the work folder, unless it is there. Raises Broken."""
        if not (self.bin / self.program).exists():
            (self.folder / "package.json").write_text(json.dumps({"name": self.name, "private": True}))
            quietly = ("--no-audit", "--no-fund", "--omit=dev")
            self.call(["npm", "install", *quietly, *self.requirements], dict(os.environ))

    def version(self) -> str:
        file = self.folder / "node_modules" / self.package / "package.json"
        return json.loads(file.read_text())["version"]
