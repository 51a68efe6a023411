"""fcm-django as its documentation sets it up, on PostgreSQL, with DRF's own tokens."""

import os
import sys
from urllib.parse import parse_qs, urlparse

import django
from django.conf import settings

url = urlparse(os.environ["DATABASE_URL"])
query = parse_qs(url.query)
settings.configure(
    SECRET_KEY="the secret of a benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework.authtoken",
        "fcm_django",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path.lstrip("/"),
            "USER": url.username,
            "PASSWORD": url.password or "",
            "HOST": query.get("host", [url.hostname])[0],
            "PORT": url.port or query.get("port", [""])[0],
            "CONN_MAX_AGE": None,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    FCM_DJANGO_SETTINGS={"UPDATE_ON_DUPLICATE_REG_ID": True, "ONE_DEVICE_PER_USER": False},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from fcm_django.api.rest_framework import FCMDeviceAuthorizedViewSet  # noqa: E402
from rest_framework.routers import DefaultRouter  # noqa: E402

router = DefaultRouter(trailing_slash=False)
router.register("devices", FCMDeviceAuthorizedViewSet)
urlpatterns = [path("", include(router.urls))]
application = get_wsgi_application()


def prepare(people):
    """Makes the tables, and that many people, whose tokens it prints."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)
    users = User.objects.bulk_create(User(username=f"user{n}") for n in range(people))
    for token in Token.objects.bulk_create(Token(user=user, key=Token.generate_key()) for user in users):
        print(token.key)


if __name__ == "__main__":
    prepare(int(sys.argv[1]))
