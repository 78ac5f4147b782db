"""The software that is played, in this order. A new one is a module and a line here."""

from tests.platforms.directus import Directus
from tests.platforms.django_sites import DjangoCustom, DjangoSite
from tests.platforms.keystone import Keystone
from tests.platforms.labelstudio import LabelStudio
from tests.platforms.software import Software
from tests.platforms.superset import Superset

KINDS = (Keystone, Superset, Directus, LabelStudio, DjangoSite, DjangoCustom)
SOFTWARE: dict[str, type[Software]] = {kind.name: kind for kind in KINDS}
