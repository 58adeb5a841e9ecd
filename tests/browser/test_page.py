"""The page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from currents_export.delivery import Backoff, Sender
from currents_export.receiver import Receiver, RudderStack, listen
from currents_export.receiver.page import Page as ReceiverPage
from tests.support.currents import WRITE_KEY, custom
from tests.support.events import CLICK, event, make_events
from tests.support.receivers import HEADERS, PATIENCE, body, broken

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Texts that would do something if a page took them for markup or code.
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "javascript:window.hacked=1",
    "{{ 7 * 7 }}${7*7}",
    "\u202eabc\u2066 \u0000 \u2028",
    "é" * 1_000_000,
)


@pytest.fixture
def url() -> Iterator[str]:
    receiver = Receiver()
    with listen(receiver, page=ReceiverPage(receiver)) as served:
        yield served


def post(url: str, *events: Any, path: str = "/") -> None:
    response = httpx.post(f"{url}{path}", headers=HEADERS, content=body(*events), timeout=PATIENCE)
    assert response.status_code == 200


def test_events_appear_as_they_come(url: str, page: Page) -> None:
    page.goto(url)
    page.get_by_text("Nothing has arrived yet").wait_for()
    post(url, *make_events(3))
    page.locator("#tbody tr").nth(2).wait_for()
    page.locator("#n-events", has_text="3").wait_for()
    post(url, event(9, CLICK))
    page.get_by_role("link", name="email.Click").wait_for()
    assert page.locator("#tbody tr").count() == 4
    assert page.locator("#connection-text").inner_text() == "Connected"


def test_list_does_not_move_while_it_is_read(url: str, page: Page) -> None:
    post(url, *make_events(3))
    page.goto(url)
    page.locator("#tbody .open").nth(2).focus()
    post(url, event(9, CLICK))
    page.get_by_role("button", name="1 new").click()
    page.get_by_role("link", name="email.Click").wait_for()
    page.locator("#new").wait_for(state="hidden")


def test_event_with_its_findings(url: str, page: Page) -> None:
    post(url, event(1), broken(2))
    page.goto(url)
    page.get_by_label("Finding", exact=True).fill("wrong_type")
    page.locator("#tbody tr").nth(1).wait_for(state="detached")
    page.locator("#tbody .open").click()
    marked = page.locator(".json .marked.error")
    assert '"email_address"' in marked.inner_text()
    assert "must be a string" in marked.inner_text() or "string" in marked.inner_text()
    made = page.get_by_role("heading", name="What RudderStack makes of it")
    assert made.is_visible()
    assert "event=" in page.url
    # The link shows the same event, and the way back works.
    link = page.url
    page.goto(url)
    page.goto(link)
    page.locator(".json .marked.error").wait_for()
    page.go_back()
    page.locator("#hint").wait_for()


def test_personal_data_is_masked_until_asked_for(url: str, page: Page) -> None:
    post(url, event(7))
    page.goto(url)
    page.locator("#tbody .open").click()
    page.locator(".v.masked").first.wait_for()
    shown = page.content()
    assert "user-7" not in shown
    assert "user7@example.com" not in shown
    page.get_by_role("button", name="Personal data").click()
    page.get_by_text('"user7@example.com"').first.wait_for()
    assert "user7@example.com" in page.locator(".raw").inner_text()
    page.get_by_role("button", name="Personal data").click()
    page.locator(".v.masked").first.wait_for()
    assert "user7@example.com" not in page.content()


def test_hostile_events_are_text(url: str, page: Page) -> None:
    hostile = [
        event(number, text, **{text[:50]: text, "campaign_id": text, "campaign_name": text})
        for number, text in enumerate(HOSTILE)
    ]
    values = [each.to_dict() for each in hostile]
    for value, text in zip(values, HOSTILE, strict=True):
        value["id"] = value["user"]["external_user_id"] = value[text[:50]] = text
    post(url, *values, path="/<script>window.hacked=1</script>")
    page.goto(url)
    page.get_by_role("button", name="Personal data").click()
    for number in range(len(HOSTILE)):
        page.locator("#tbody .open").nth(number).click()
        page.locator(".json").first.wait_for()
        page.get_by_role("button", name="Timeline of this user").click()
        page.locator("#moments li").first.wait_for()
        page.get_by_role("tab", name="Events").click()
        page.locator("#tbody tr").nth(len(HOSTILE) - 1).wait_for()
    page.get_by_role("tab", name="Requests").click()
    page.locator("#tbody .open").first.click()
    page.locator(".raw").wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("script:not([src]), img[src=x], iframe").count() == 0
    assert "</script>" in page.locator(".raw").inner_text()


def test_faults_show_in_the_retries(url: str, page: Page) -> None:
    page.goto(url)
    page.get_by_label("Response", exact=True).select_option(label="503 Service Unavailable")
    page.get_by_label("For the next").fill("2")
    page.get_by_role("button", name="Switch on").click()
    page.locator("#faults-panel.on").wait_for()
    assert page.locator("#fault-state").inner_text().endswith("2 more requests")
    current = custom(url)
    with Sender(current, max_age=0.01, wait=Backoff(initial=0.01, maximum=0.02)) as sender:
        sender.send(event())
    assert sender.result.retries == 2
    page.get_by_text("Responding as usual.").wait_for()
    page.get_by_role("tab", name="Requests").click()
    page.locator("#tbody tr").nth(2).wait_for()
    assert page.locator("#tbody .status").all_inner_texts() == ["200", "503", "503"]
    assert page.locator("#tbody .notes").all_inner_texts()[:2] == [
        "again: #1",
        "again: #0 · by hand",
    ]


def test_buttons_of_an_event(url: str, page: Page) -> None:
    post(url, event(1), path=f"/?writeKey={WRITE_KEY}")
    page.goto(url)
    page.locator("#tbody .open").click()
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied the link.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.get_by_role("button", name="Copy as curl").click()
    page.get_by_text("Copied the command").wait_for()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command.startswith("curl -X POST ")
    assert (WRITE_KEY in command, "$WRITE_KEY" in command) == (False, True)
    page.get_by_role("button", name="Send again").click()
    page.get_by_text("Sent again: 200").wait_for()
    page.get_by_text("1 duplicate", exact=True).wait_for()


def test_copy_without_the_clipboard_api(url: str, page: Page) -> None:
    """Browsers have it only on this machine, or with HTTPS."""
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    post(url, event(1))
    page.goto(url)
    page.locator("#tbody .open").click()
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied the link.").wait_for()
    page.locator("#f-text").click()
    page.keyboard.press("Control+V")
    assert page.locator("#f-text").input_value() == page.url.partition("&text")[0]


def test_timeline_of_a_user(url: str, page: Page) -> None:
    first, second = event(1, campaign_id="c1", campaign_name="Spring"), event(1, CLICK)
    values = [second.to_dict() | {"time": first.time + 90}, first.to_dict(), event(2).to_dict()]
    post(url, *values)
    page.goto(url)
    page.get_by_role("link", name="email.Click").click()
    page.get_by_role("button", name="Timeline of this user").click()
    page.locator("#moments li").nth(1).wait_for()
    assert page.locator("#moments .open").all_inner_texts() == ["email.Open", "email.Click"]
    assert page.locator("#moments .gap").all_inner_texts() == ["", "2 min later"]
    page.get_by_role("button", name="Spring").click()
    page.locator("#moments li").nth(1).wait_for(state="detached")
    assert page.locator("#moments .open").all_inner_texts() == ["email.Open"]


def test_keyboard(url: str, page: Page) -> None:
    post(url, *make_events(3))
    page.goto(url)
    page.locator("#tbody tr").nth(2).wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the events"
    page.locator("#tbody .open").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("h3:focus").wait_for()
    assert page.locator("#tbody tr.chosen").count() == 1
    assert "chosen" in (page.locator("#tbody tr").nth(1).get_attribute("class") or "")
    page.keyboard.press("Escape")
    page.locator("#tbody .open:focus").wait_for()
    page.get_by_role("tab", name="Events").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Requests").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark"), (3840, "light")])
def test_axe_finds_nothing(browser: Browser, url: str, width: int, scheme: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    script = Path(axe.__file__).with_name("axe.min.js").read_text("utf-8")
    post(url, *make_events(5), broken(7))
    # The page's own policy would forbid the script of the check.
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto(url)
    page.add_script_tag(content=script)
    page.locator("#tbody tr").nth(5).wait_for()

    def check() -> list[str]:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    assert check() == []
    page.locator("#tbody .open").first.click()
    page.locator(".json .marked").first.wait_for()
    assert check() == []
    page.get_by_role("button", name="Timeline of this user").click()
    page.locator("#moments li").first.wait_for()
    assert check() == []
    page.get_by_role("tab", name="Requests").click()
    page.locator("#tbody tr").first.wait_for()
    assert check() == []
    context.close()


def test_rudderstack(page: Page) -> None:
    standin = RudderStack(mapping={event().event_type: "Email Opened"})
    with listen(standin, page=ReceiverPage(standin)) as url:
        post(url, event(1), path=f"/v1/webhook?writeKey={WRITE_KEY}")
        page.goto(url)
        page.locator("#tbody .open").click()
        page.get_by_text('"Email Opened"').wait_for()
        assert page.locator("#n-messages").inner_text() == "1"
        assert page.title().startswith("RudderStack stand-in")
        page.goto("about:blank")


def test_page_token(browser: Browser) -> None:
    receiver = Receiver()
    secret = "a-long-enough-page-token"
    context = browser.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    with listen(receiver, page=ReceiverPage(receiver, token=secret)) as url:
        page.goto(url)
        page.get_by_label("Page token").fill("wrong")
        page.get_by_role("button", name="Open the page").click()
        page.get_by_text("not the token").wait_for()
        page.get_by_label("Page token").fill(secret)
        page.get_by_role("button", name="Open the page").click()
        page.get_by_text("Connected", exact=True).wait_for()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", page.url)
        assert secret not in page.content()
    context.close()
