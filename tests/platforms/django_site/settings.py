"""Settings of both sites. SITE_USER_MODEL names the user model; the database comes from SITE_DATABASE_*."""

import os

SECRET_KEY = "not-a-secret-not-a-secret-not-a-secret-42"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "tests.platforms.django_site.urls"
LOGIN_REDIRECT_URL = "/me/"
AUTH_USER_MODEL = os.environ.get("SITE_USER_MODEL", "auth.User")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    *(["tests.platforms.django_site.staff"] if AUTH_USER_MODEL.startswith("staff.") else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
CONTEXT = "django.template.context_processors.request"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                CONTEXT,
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **{key: os.environ.get(f"SITE_DATABASE_{key}", "") for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")},
    }
}
