"""Test the saved connection, tell the operator, and store the result for the next visit."""

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone

from plex_integration.admin.missing import missing_token
from plex_integration.configuration.models import PlexConnection
from plex_integration.plex import Diagnosis, diagnose


def report_test(request: HttpRequest, row: PlexConnection) -> None:
    """Test a connection and add the result to the messages of the next page."""
    diagnosis = _test(row)
    # An update: a saved row announces a change, and this is none.
    PlexConnection.objects.filter(url=row.url, encrypted_token=row.encrypted_token).update(
        tested_at=timezone.now(),
        test_passed=diagnosis.is_connected,
        test_message=diagnosis.message,
    )
    report = messages.success if diagnosis.is_connected else messages.error
    report(request, diagnosis.message)


def _test(row: PlexConnection) -> Diagnosis:
    connection = row.connection()
    return diagnose(connection) if connection else Diagnosis(False, missing_token(row))
