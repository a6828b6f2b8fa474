"""The connection to Plex: one row, for superusers, whose token can be written but never read."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography import x509
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from medianest.addresses import refusal
from plex_integration.configuration import runtime
from plex_integration.admin import sign_in
from plex_integration.plex import try_out
from plex_integration.configuration.models import PlexConnection

# Django's own are generic for type checkers alone.
if TYPE_CHECKING:
    Form = forms.ModelForm[PlexConnection]
    Admin = admin.ModelAdmin[PlexConnection]
else:
    Form, Admin = forms.ModelForm, admin.ModelAdmin

NO_TOKEN = "There is no token yet: enter one, or sign in to Plex."  # noqa: S105 - a sentence
UNREADABLE = (
    "The kept token cannot be read any more, because the key that encrypts it has changed. "
    "Enter it again, or sign in to Plex."
)


class ConnectionForm(Form):
    """What can be set; an empty token keeps the present one."""

    token = forms.CharField(
        required=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "size": 40}),
    )

    class Meta:
        model = PlexConnection
        fields = ["url", "token", "tls", "authority", "seconds", "show_file_paths"]
        widgets = {
            "url": forms.TextInput(
                attrs={
                    "size": 40,
                    "inputmode": "url",
                    "autocomplete": "off",
                    "placeholder": "http://192.168.1.10:32400",
                }
            ),
            "authority": forms.Textarea(attrs={"rows": 6, "cols": 66, "spellcheck": "false"}),
        }
        help_texts = {
            "url": "http or https, as this service reaches Plex. A new address needs the token "
            "again, so that no token is sent where it was not meant to go.",
            "authority": "The certificates, in PEM, of the authority that signed Plex's own.",
            "seconds": "For all requests to Plex that one answer needs together, 0.1 to 120.",
            "show_file_paths": "Off: the paths of media files and folders are null in answers.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].help_text = _about_token(self.instance)

    def clean_url(self) -> str:
        address: str = self.cleaned_data["url"].strip()
        if refused := refusal(address):
            raise ValidationError(refused)
        return _normal(address)

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"]
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ValidationError("A token is printable ASCII without blanks.")
        return token

    def clean_authority(self) -> str:
        written: str = self.cleaned_data["authority"].strip()
        if written:
            try:
                x509.load_pem_x509_certificates(written.encode())
            except ValueError:
                raise ValidationError("These are no certificates in PEM.") from None
        return written

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_new = "url" in cleaned and cleaned["url"] != _normal(self.instance.url)
        if is_new and self.instance.encrypted_token and cleaned.get("token") == "":
            self.add_error("token", "A new address needs the token again.")
        is_own = cleaned.get("tls") == PlexConnection.Tls.OWN_CA
        if is_own and cleaned.get("authority") == "":
            self.add_error("authority", "Paste the authority's certificates.")
        return cleaned

    def save(self, commit: bool = True) -> PlexConnection:
        if token := self.cleaned_data["token"]:
            self.instance.token = token
        return super().save(commit)


def _normal(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def _about_token(row: PlexConnection) -> str:
    if not row.encrypted_token:
        return NO_TOKEN
    if row.token is None:
        return UNREADABLE
    ending = f"It ends with {row.token_ending}. " if row.token_ending else ""
    return f"A token is kept, encrypted. {ending}Leave this empty to keep it."


@admin.register(PlexConnection)
class ConnectionAdmin(Admin):
    """One row, shown at once; a button that tries it."""

    form = ConnectionForm
    fields = ["url", "token", "tls", "authority", "seconds", "show_file_paths"]
    actions = None

    def get_urls(self) -> list[URLPattern]:
        test = require_POST(self.admin_site.admin_view(self.test_view))
        sign_in = self.admin_site.admin_view(self.sign_in_view)
        return [
            path("test/", test, name="plex_integration_plexconnection_test"),
            path("sign-in/", sign_in, name="plex_integration_plexconnection_sign_in"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the row at once, or the form for the first one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(_page())

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Try the saved connection and say in one sentence what is so."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row = PlexConnection.objects.first()
        if row is None:
            messages.error(request, "There is no connection yet: enter Plex's address.")
        else:
            tell_trial(request, row)
        return HttpResponseRedirect(_page())

    def sign_in_view(self, request: HttpRequest) -> HttpResponse:
        """Begin to sign in to Plex, or look whether that is done."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            if "cancel" in request.POST:
                sign_in.cancel(request)
            elif failure := sign_in.begin(request):
                messages.error(request, failure)
            else:
                return HttpResponseRedirect(request.path)
            return HttpResponseRedirect(_page())
        if waiting := sign_in.page(request, self, _page()):
            return waiting
        messages.success(request, "Signed in to Plex: the new token is in force within 2 seconds.")
        tell_trial(request, PlexConnection.objects.get())
        return HttpResponseRedirect(_page())

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_view_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        # The policies and the cache's status are for other staff too.
        return super().has_module_permission(request) or self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and not PlexConnection.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Stay on the page: it is the only row, and the next thing is to test it."""
        return self._saved(request)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Stay on the page."""
        return self._saved(request)

    def _saved(self, request: HttpRequest) -> HttpResponse:
        messages.success(request, "The connection was saved; it is in force within 2 seconds.")
        return HttpResponseRedirect(_page())


def tell_trial(request: HttpRequest, row: PlexConnection) -> None:
    """Try a connection and leave the sentence for the next page."""
    to = row.connection()
    if to is None:
        messages.error(request, UNREADABLE if row.encrypted_token else NO_TOKEN)
        return
    trial = try_out(to)
    (messages.success if trial.is_connected else messages.error)(request, trial.sentence)


def _page() -> str:
    runtime.current()  # the first start may still be to come
    name = "admin:plex_integration_plexconnection_"
    row = PlexConnection.objects.first()
    return reverse(f"{name}change", args=[row.pk]) if row else reverse(f"{name}add")
