"""The session of the TypeScript client: renewal, retries and errors, run by Node.js."""

from tests.clients.conftest import HERE, Run


def test_the_session_does_what_its_tests_in_javascript_say(run: Run) -> None:
    run("node", "--test", "session.test.js", folder=HERE)
