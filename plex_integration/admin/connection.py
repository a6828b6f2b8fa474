"""The connection to Plex: one row, for superusers, whose token can be written but not read."""

from typing import Any
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
from plex_integration.admin import sign_in
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection
from plex_integration.plex import diagnose

NO_TOKEN = "No token yet. Enter one, or sign in to Plex."  # noqa: S105 - a message
UNREADABLE = (
    "The stored token cannot be decrypted, because the encryption key has changed. "
    "Enter the token again, or sign in to Plex."
)
_NAME = "plex_integration_plexconnection"


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """Edit the connection; an empty token leaves the stored one unchanged."""

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
            "url": "http or https, as this service reaches Plex. If you change the address, enter "
            "the token again: the stored token is never sent to a new address.",
            "authority": "The certificate of the CA that signed Plex's certificate, in PEM format.",
            "seconds": "The time limit for all Plex requests of one response together, 0.1 to 120.",
            "show_file_paths": "If off, the paths of media files and folders are null in "
            "responses.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].help_text = _token_help(self.instance)

    def clean_url(self) -> str:
        address: str = self.cleaned_data["url"].strip()
        if refused := refusal(address):
            raise ValidationError(refused)
        return _normalized(address)

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"]
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ValidationError("A token has only printable ASCII characters and no spaces.")
        return token

    def clean_authority(self) -> str:
        certificates: str = self.cleaned_data["authority"].strip()
        if certificates:
            try:
                x509.load_pem_x509_certificates(certificates.encode())
            except ValueError:
                raise ValidationError("This is not a certificate in PEM format.") from None
        return certificates

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_new = "url" in cleaned and cleaned["url"] != _normalized(self.instance.url)
        if is_new and self.instance.encrypted_token and cleaned.get("token") == "":
            self.add_error("token", "Enter the token again for the new address.")
        is_custom = cleaned.get("tls") == PlexConnection.Tls.OWN_CA
        if is_custom and cleaned.get("authority") == "":
            self.add_error("authority", "Paste the CA certificate.")
        return cleaned

    def save(self, commit: bool = True) -> Any:
        if token := self.cleaned_data["token"]:
            self.instance.token = token
        return super().save(commit)


def _normalized(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def _token_help(row: PlexConnection) -> str:
    if not row.encrypted_token:
        return NO_TOKEN
    if row.token is None:
        return UNREADABLE
    ending = f"Ends in …{row.token_ending}. " if row.token_ending else ""
    return f"A token is stored, encrypted. {ending}Leave this field empty to keep it."


@admin.register(PlexConnection)
class ConnectionAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Show the only row at once, with buttons to test it and to sign in to Plex."""

    form = ConnectionForm
    fields = ["url", "token", "tls", "authority", "seconds", "show_file_paths"]
    actions = None

    def get_urls(self) -> list[URLPattern]:
        test = require_POST(self.admin_site.admin_view(self.test_view))
        sign_in_page = self.admin_site.admin_view(self.sign_in_view)
        return [
            path("test/", test, name=f"{_NAME}_test"),
            path("sign-in/", sign_in_page, name=f"{_NAME}_sign_in"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Go to the row, or to the form that adds it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(_page())

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Test the saved connection and report the result in one sentence."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row = PlexConnection.objects.first()
        if row is None:
            messages.error(request, sign_in.NO_ADDRESS)
        else:
            report_diagnosis(request, row)
        return HttpResponseRedirect(_page())

    def sign_in_view(self, request: HttpRequest) -> HttpResponse:
        """Start or cancel a sign-in to Plex with POST; check whether it is finished with GET."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._start_or_cancel(request)
        if response := sign_in.page(request, self, _page()):
            return response
        messages.success(request, "Signed in to Plex. The new token takes effect within 2 seconds.")
        report_diagnosis(request, PlexConnection.objects.get())
        return HttpResponseRedirect(_page())

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_view_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        # Other staff may see the app too: it also has the pages of the cache.
        return super().has_module_permission(request) or self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and not PlexConnection.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Stay on the page: it is the only row, and the next step is to test it."""
        return self._saved(request)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Stay on the page."""
        return self._saved(request)

    def _start_or_cancel(self, request: HttpRequest) -> HttpResponse:
        if "cancel" in request.POST:
            sign_in.cancel(request)
        elif failure := sign_in.start(request):
            messages.error(request, failure)
        else:
            return HttpResponseRedirect(request.path)
        return HttpResponseRedirect(_page())

    def _saved(self, request: HttpRequest) -> HttpResponse:
        messages.success(request, "Connection saved. Takes effect within 2 seconds.")
        return HttpResponseRedirect(_page())


def report_diagnosis(request: HttpRequest, row: PlexConnection) -> None:
    """Test a connection and add the result to the messages of the next page."""
    connection = row.connection()
    if connection is None:
        messages.error(request, UNREADABLE if row.encrypted_token else NO_TOKEN)
        return
    diagnosis = diagnose(connection)
    report = messages.success if diagnosis.is_connected else messages.error
    report(request, diagnosis.message)


def _page() -> str:
    # The first use of the settings creates the row that the environment describes.
    runtime.current()
    row = PlexConnection.objects.first()
    if row is None:
        return reverse(f"admin:{_NAME}_add")
    return reverse(f"admin:{_NAME}_change", args=[row.pk])
