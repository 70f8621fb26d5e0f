"""How tests look at the Pix page: through a phone or a desktop, a scanner, and WCAG's measures."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("OMNIMAN_SCREENSHOTS") or ROOT / "build" / "screenshots")
PHONE, DESKTOP = (320, 700), (1280, 900)

# WCAG 2.2: 1.4.3 for texts, 1.4.11 for what shows where a field is. A colour with an alpha would
# be measured as if it had none, and there is none on this page.
_MEASURES = """
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = (colour) => {
  const [r, g, b] = numbers(colour).slice(0, 3).map((n) => {
    const c = n / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};
const behind = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (numbers(colour)[3] !== 0) return colour;
  }
  return "rgb(255, 255, 255)";
};
const name = (node) => `${node.tagName} ${node.id || node.className}`;
const all = (what) => [...document.querySelectorAll(what)].filter((node) => node.offsetParent);
"""
_FAINT = (
    _MEASURES
    + """
const says = (node) => [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
const texts = all("main *").filter((node) => says(node) || node.tagName === "TEXTAREA");
const found = texts.map((node) => {
  const style = getComputedStyle(node);
  return [name(node), contrast(style.color, behind(node)), 4.5];
});
for (const node of all("textarea")) {
  const edge = getComputedStyle(node).borderTopColor;
  found.push([`edge of ${name(node)}`, contrast(edge, behind(node.parentElement)), 3]);
}
for (const node of all("button, .again")) {
  const own = getComputedStyle(node).backgroundColor;
  found.push([`face of ${name(node)}`, contrast(own, behind(node.parentElement)), 3]);
}
return [found.length, found.filter(([, ratio, least]) => !(ratio >= least))];
"""
)
_OUTLINE = (
    _MEASURES
    + """
const node = arguments[0], style = getComputedStyle(node);
const ratio = contrast(style.outlineColor, behind(node.parentElement));
return [style.outlineStyle, style.outlineWidth, ratio];
"""
)
_SMALL = (
    _MEASURES
    + """
return all("a, button, textarea").map((n) => [name(n), n.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44).map(([what]) => what);
"""
)
_HEADINGS = """
return [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((node) => node.offsetParent).map((node) => Number(node.tagName[1]));
"""


def photograph(browser: Any, name: str) -> Path:
    """The whole page as a picture, kept for whoever wants to look at it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    width, height = browser.execute_script(
        "return [window.innerWidth,"
        " Math.max(window.innerHeight, document.documentElement.scrollHeight)]"
    )
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True}
    )
    path.write_bytes(base64.b64decode(shot["data"]))
    return path


def scanned(picture: Path) -> list[str]:
    """What a scanner reads on a picture."""
    with Image.open(io.BytesIO(picture.read_bytes())) as image:
        return [found.text for found in zxingcpp.read_barcodes(image.convert("L"))]


def faint(browser: Any) -> list[Any]:
    """What has less contrast than WCAG's level AA asks for."""
    measured, found = browser.execute_script(_FAINT)
    assert measured >= 6, "the page has more to measure than this"
    return list(found)


def outline(browser: Any, node: Any) -> tuple[str, str, float]:
    """How the focus is shown: style, width, contrast with what is around it."""
    style, width, ratio = browser.execute_script(_OUTLINE, node)
    return style, width, ratio


def too_small(browser: Any) -> list[str]:
    """What a finger cannot hit: less than 44 px in a direction."""
    return list(browser.execute_script(_SMALL))


def headings(browser: Any) -> list[int]:
    """The levels of the headings that can be seen, in their order."""
    return list(browser.execute_script(_HEADINGS))


def wider_than_window(browser: Any) -> bool:
    """Whether the shopper would have to scroll sideways."""
    return bool(
        browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
    )


def size(browser: Any, window: tuple[int, int]) -> None:
    """A phone's or a desktop's window, two pixels for each."""
    width, height = window
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 600},
    )


def language(browser: Any, code: str) -> None:
    """What the shopper's browser asks for."""
    agent = browser.execute_script("return navigator.userAgent")
    browser.execute_cdp_cmd(
        "Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": code}
    )


def colours(browser: Any, scheme: str) -> None:
    """``light`` or ``dark``, as the shopper's device has it."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )


@contextmanager
def without_scripts(browser: Any) -> Iterator[None]:
    """JavaScript is off."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@contextmanager
def before_every_page(browser: Any, source: str) -> Iterator[None]:
    """A script runs in each page before the page's own."""
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
