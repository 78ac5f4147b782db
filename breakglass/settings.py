"""Settings from the environment, secrets also from files (NAME_FILE). Refuses to start when one is missing, and says which."""

from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import EnvError, FileAwareEnv

BASE_DIR = Path(__file__).resolve().parent.parent

env = FileAwareEnv(eager=False)

SECRET_KEY = env.str("SECRET_KEY")
DATABASE_URL = env.str("DATABASE_URL")
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", "")
APP_ROLE = env.str("APP_ROLE", "breakglass_app")
KEEPER_ROLE = env.str("KEEPER_ROLE", "breakglass_keeper")
KEEPER_KEY = env.str("KEEPER_KEY", "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost"])
BASE_URL = env.str("BASE_URL", "http://127.0.0.1:8000")
PLATFORMS_FILE = env.str("BREAKGLASS_PLATFORMS", str(BASE_DIR / "platforms.toml"))
MESSAGE_CHANNELS = env.list("MESSAGE_CHANNELS", [])
PRACTICE = env.bool("BREAKGLASS_PRACTICE", False)
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
LOCAL_TIME_ZONE = env.str("LOCAL_TIME_ZONE", "UTC")

try:
    env.seal()
except EnvError as error:
    raise ImproperlyConfigured(f"The console cannot start, settings are missing or wrong: {error}") from error


# A process that is stopped or frozen in the middle of a step must not hold the row of the clock or of the log's end for ever.
STEP_MAY_REST = "-c idle_in_transaction_session_timeout=30s"


def database(url: str) -> dict[str, object]:
    found = dj_database_url.parse(url.strip(), conn_max_age=600, conn_health_checks=True)
    options = {"options": STEP_MAY_REST, **found.get("OPTIONS", {})}
    return {**found, "OPTIONS": options, "ATOMIC_REQUESTS": False}


DEBUG = False
SECRET_KEY = SECRET_KEY.strip()
DATABASES = {"default": database(DATABASE_URL)}
if DATABASE_OWNER_URL:
    DATABASES["owner"] = database(DATABASE_OWNER_URL)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.Account"
AUTHENTICATION_BACKENDS = ["breakglass.people.session_accounts.SessionAccounts"]

INSTALLED_APPS = [
    "breakglass.people",
    "breakglass.procedure",
    "breakglass.pages",
    "breakglass.practice",
    "recovery",
    "audit",
    "simple_history",
    "django_otp",
    "procrastinate.contrib.django",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "breakglass.apps.ConsoleAdminConfig",
]

MIDDLEWARE = [
    "breakglass.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "breakglass.middleware.both_factors",
]

ROOT_URLCONF = "breakglass.urls"
WSGI_APPLICATION = "breakglass.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "breakglass.pages.context.console",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "breakglass" / "locale"]
FORMAT_MODULE_PATH = "breakglass.formats"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "breakglass" / "static"]
WHITENOISE_USE_FINDERS = True  # served from where they lie: nothing to collect, no STATIC_ROOT
WHITENOISE_AUTOREFRESH = False

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"

SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if BASE_URL.startswith("https://"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    CSRF_TRUSTED_ORIGINS = [BASE_URL]
# Whether other hosts of the domain are TLS only, too, is for whoever owns the domain to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

PROCRASTINATE_IMPORT_PATHS = ["breakglass.procedure.jobs", "breakglass.procedure.reaping"]
# Faults go to the process's own error output, as a service manager collects it. Never with variables: they may be secrets.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False}},
}

SIMPLE_HISTORY_REVERT_DISABLED = True
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
