"""The software that is played, in this order. A new one is a module and a line here."""

from tests.platforms.directus import Directus
from tests.platforms.keystone import Keystone
from tests.platforms.labelstudio import LabelStudio
from tests.platforms.software import Software
from tests.platforms.superset import Superset

SOFTWARE: dict[str, type[Software]] = {kind.name: kind for kind in (Keystone, Superset, Directus, LabelStudio)}
