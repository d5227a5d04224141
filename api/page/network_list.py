"""The list of networks with upload and deletion, and the revisions of one network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import quote

from twin.errors.wording import counted
from twin.formats import READERS
from twin.imports import FORMATS
from twin.render.import_table import LISTS
from twin.reports.blocks import compact_json
from twin.store.records import NetworkPage, RevisionPage, StoredNetwork

from .html import Attribute, Html, element, joined, marked
from .layout import page_html
from .networks import time_text
from .state import PageState, network_address

IMPORT_OPTIONS = (
    ("capacity_gbps", "Rate where the file states none (Gb/s)", "A number.", False),
    ("site", "Site of devices without a location", "Their cables are indoor.", False),
    ("role", "Kind of devices by role or name", "One REGEX=KIND per line, such as ^leaf=leaf.", True),
    ("map", "Columns of a table", "One COLUMN=FIELD per line.", True),
    ("length_factor", "Route over straight line", "For lengths from positions.", False),
    ("demand_scale", "Gb/s of one unit of demand", "Where amounts have no unit.", False),
)
"""Options of an import: name, label, help, and whether it has several lines."""

CHANGED = ("compared with the one before", "")
"""Heading of the last column of revisions."""

NOT_KEPT = "Stored networks end with this service. `twin serve --data DIRECTORY` keeps them."


def networks_page(shipped: Sequence[tuple[str, str]], stored: NetworkPage, *, is_kept: bool) -> str:
    """Return the list of networks.

    Args:
        shipped: name and sentence of each shipped network.
        stored: a page of stored networks.
        is_kept: whether stored networks outlive the service.
    """
    rows = [
        element("li", element("a", name, href=network_address(name)), element("span", marked(sentence)))
        for name, sentence in shipped
    ]
    return page_html(
        "dc-twin",
        element("p", "What does a change do to paths, congestion, the training step and the cost? Choose a network."),
        element("h2", "Your networks", id="stored"),
        _stored(stored),
        None if is_kept else element("p", marked(NOT_KEPT), class_="quiet"),
        element("h2", "Examples"),
        element("ul", *rows, class_="networks"),
        _upload(),
        heading="Networks",
    )


def _stored(page: NetworkPage) -> Html:
    if not page.networks:
        add = element("a", "Add one", href="#upload-file")
        return element("p", "No network is stored here. ", add, ", or try an example.")
    rows = [
        element(
            "tr",
            element("td", element("a", row.name, href=network_address(row.name))),
            element("td", row.title),
            element("td", f"{row.n_nodes:,}", class_="number"),
            element("td", f"{row.n_links:,}", class_="number"),
            element(
                "td", element("a", str(row.number), href=f"{network_address(row.name)}/revisions"), class_="number"
            ),
            element("td", time_text(row.stored_at)),
            element("td", _delete_button(row)),
        )
        for row in page.networks
    ]
    more = None if page.next is None else element("p", element("a", "More", href=f"/?after={quote(page.next)}#stored"))
    headings = (("name", ""), ("title", ""), ("nodes", "number"), ("links", "number"), ("revision", "number"))
    return joined((_table("Stored networks", (*headings, ("stored", ""), ("delete", "")), rows), more))


def _link(number: int, address: str) -> Html:
    return element("a", str(number), href=address)


def _table(label: str, headings: Sequence[tuple[str, str]], rows: Sequence[Html]) -> Html:
    head = element("tr", *(element("th", text, scope="col", class_=kind or None) for text, kind in headings))
    table = element("table", element("thead", head), element("tbody", *rows))
    return element("div", table, class_="wide", tabindex="0", role="region", aria_label=label)


def _delete_button(row: StoredNetwork) -> Html:
    return element(
        "button",
        "Delete",
        type="button",
        class_="quiet",
        data_delete=row.name,
        data_revision=row.revision,
        aria_label=f"Delete {row.name} with {counted(row.number, 'revision')}",
    )


def _upload() -> Html:
    """Return the form that stores a document, or imports a file of another tool. The script of the page sends it."""
    kinds = [
        element("option", "document of the twin, JSON or YAML", value=""),
        element("option", "of another tool: recognise it", value="auto"),
        *(element("option", f"{name}: {row.sentence}", value=name) for name, row in FORMATS.items()),
    ]
    return element(
        "form",
        element("h2", "Add a network"),
        element(
            "p",
            "Choose a document of the twin, or a file of another tool to import, such as a cabling sheet. "
            "An import reports what became of each field.",
        ),
        _upload_field("upload-file", "File", "Several files of one network: a .zip archive.", type="file"),
        element(
            "div",
            element("label", "Kind of file", for_="upload-kind"),
            element("select", *kinds, id="upload-kind"),
            class_="field",
            data_field="kind",
        ),
        _upload_field(
            "upload-name",
            "Name",
            "1 to 64 of a-z, 0-9, dot, underscore and hyphen. A name that exists gets a new revision.",
            field="name",
            type="text",
            pattern="[a-z0-9._\\-]{1,64}",
            maxlength=64,
            autocomplete="off",
        ),
        element(
            "details",
            element("summary", "Options of an import"),
            element("div", *(_option(*option) for option in IMPORT_OPTIONS), class_="fields"),
        ),
        element("button", "Store", type="submit"),
        element("div", data_result=True, aria_live="polite"),
        data_put=True,
        data_lists=compact_json(LISTS),
        data_endings=compact_json(list(READERS)),
    )


def _upload_field(identity: str, label: str, text: str, *, field: str = "", **attributes: Attribute) -> Html:
    return element(
        "div",
        element("label", label, for_=identity),
        element("input", id=identity, required=True, aria_describedby=f"{identity}-help", **attributes),
        element("p", text, class_="help", id=f"{identity}-help"),
        class_="field",
        data_field=field or None,
    )


def _option(name: str, label: str, text: str, is_list: bool) -> Html:
    identity = f"import-{name}"
    described: dict[str, Attribute] = {"id": identity, "data_option": name, "aria_describedby": f"{identity}-help"}
    control = element("textarea", rows=2, **described) if is_list else element("input", type="text", **described)
    return element(
        "div",
        element("label", label, for_=identity),
        control,
        element("p", text, class_="help", id=f"{identity}-help"),
        class_="field",
        data_field=f"query.{name}",
    )


def revisions_page(name: str, page: RevisionPage) -> str:
    """Return the revisions of a stored network.

    Args:
        name: name of the network.
        page: a page of its revisions.
    """
    changed = {row.number: element("td") for row in page.revisions}
    for row, older in pairwise(page.revisions):
        address = PageState(f"{name}@{older.revision}", "differences", {}).address(other=f"{name}@{row.revision}")
        changed[row.number] = element("td", element("a", f"what revision {row.number} changed", href=address))
    rows = [
        element(
            "tr",
            element(
                "td", element("a", str(row.number), href=network_address(f"{name}@{row.revision}")), class_="number"
            ),
            element("td", time_text(row.stored_at)),
            element("td", f"{row.n_nodes:,}", class_="number"),
            element("td", f"{row.n_links:,}", class_="number"),
            element("td", element("code", row.revision[:12])),
            changed[row.number],
        )
        for row in page.revisions
    ]
    headings = (
        ("revision", "number"),
        ("stored", ""),
        ("nodes", "number"),
        ("links", "number"),
        ("digest", ""),
        CHANGED,
    )
    more = f"{network_address(name)}/revisions?after={page.next}"
    return page_html(
        f"{name}: revisions",
        element("p", element("a", "The current revision", href=network_address(name))),
        _table("Revisions", headings, rows),
        element("p", element("a", "Older", href=more)) if page.next is not None else None,
    )
