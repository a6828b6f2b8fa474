"""A user changed in another process is refused by every worker, while the workers serve hits."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from medianest.store.stamps import stamp_key
from tests.service import OPERATOR, ROOT, House, Person, Service, Valkey, ask, at_once

ITEMS = "/api/v1/plex/libraries/1/items?size=2"
SHELL = """
import json
import sys
import django
django.setup()
from django.db import transaction
from django.test import Client as Browser
from accounts import tokens
from accounts.models import User
for line in sys.stdin:
    exec(json.loads(line))
    print(flush=True)
"""

CHANGES = {
    "the admin page": "marked = {'action': 'revoke_all_tokens', '_selected_action': [user.pk]}; "
    "assert boss.post('/admin/accounts/user/', marked).status_code == 302",
    "save": "user.is_active = False; user.save()",
    "a password": "user.set_password('another'); user.save()",
    "update": "User.objects.filter(pk=user.pk).update(is_active=False)",
    "bulk_update": "user.password = '!x'; User.objects.bulk_update([user], ['password'])",
    "revoke_tokens": "user.revoke_tokens()",
    "delete": "user.delete()",
    "delete of a query set": "User.objects.filter(pk=user.pk).delete()",
}

ROLLED_BACK = """
try:
    with transaction.atomic():
        user.revoke_tokens()
        User.objects.filter(pk=user.pk).update(is_active=False)
        user.delete()
        raise ZeroDivisionError
except ZeroDivisionError:
    pass
"""


class Shell:
    """A process with the environment of the service, like that of `manage.py shell`."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SHELL],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        """Run some code; return what it prints."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        printed = ""
        while (written := self._process.stdout.readline()) != "\n":
            assert written, "the code failed"
            printed += written
        return printed.strip()

    def close(self) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture(scope="module")
def _shell(house: House, _valkey: Valkey) -> Iterator[Shell]:
    environment = house.environment | {"REDIS_URL": _valkey.url, "IS_PATIENT_WITH_REDIS": "1"}
    shell = Shell(environment)
    shell.run("boss = Browser(SERVER_NAME='localhost')")
    shell.run(f"boss.force_login(User.objects.get(username='{OPERATOR}'))")
    yield shell
    shell.close()


@pytest.fixture
def shell(_shell: Shell, service: Service) -> Iterator[Shell]:
    """Another process, which knows a new user of the service as `user`."""
    _shell.run("user = User.objects.create(username='changed', password='!')")
    yield _shell
    _shell.run("User.objects.filter(username='changed').delete()")


def access(shell: Shell) -> dict[str, str]:
    return {"Authorization": f"Bearer {shell.run('print(tokens.issue(user).access)')}"}


@contextmanager
def busy(service: Service, people: Sequence[Person]) -> Iterator[None]:
    """Let every worker serve hits of other users meanwhile."""
    is_over = threading.Event()

    def ask_always() -> None:
        while not is_over.is_set():
            at_once(service.url, [(ITEMS, person.headers) for person in people[:8]])

    asking = threading.Thread(target=ask_always)
    asking.start()
    try:
        yield
    finally:
        is_over.set()
        asking.join()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_user_changed_in_another_process_is_refused_by_every_worker_at_once(
    change: str, service: Service, shell: Shell, people: Sequence[Person]
) -> None:
    headers = access(shell)
    with busy(service, people):
        for _ in range(2):  # every worker knows the user and the response
            answers = at_once(service.url, [(ITEMS, headers)] * 16)
            assert {answer.status for answer in answers} == {200}
        shell.run(change)
        answers = at_once(service.url, [(ITEMS, headers)] * 16)
        assert {answer.status for answer in answers} == {401}


def test_a_change_in_another_process_that_is_rolled_back_changes_nothing(
    service: Service, shell: Shell, valkey: Valkey
) -> None:
    headers = access(shell)
    assert ask(service.url, ITEMS, headers).status == 200
    key = stamp_key(shell.run("print(user.pk)"))
    stored = valkey.client.get(key)
    assert stored
    shell.run(ROLLED_BACK)
    assert ask(service.url, ITEMS, headers).status == 200
    assert stored == valkey.client.get(key)


def test_users_who_are_changed_and_sign_in_again_all_the_time_are_never_mistaken(
    service: Service, shell: Shell, people: Sequence[Person]
) -> None:
    """The newest token is always accepted, each older one never."""
    with busy(service, people):
        old = access(shell)
        for _ in range(12):
            shell.run("user.revoke_tokens()")
            new = access(shell)
            answers = at_once(service.url, [(ITEMS, old), (ITEMS, new)] * 2)
            assert [answer.status for answer in answers] == [401, 200] * 2
            old = new
