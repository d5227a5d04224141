"""The list of networks with upload and deletion, and the revisions of one network."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from twin.errors.wording import counted
from twin.store.records import NetworkPage, RevisionPage, StoredNetwork

from .html import Html, element, joined, marked
from .layout import page_html
from .state import network_address


def networks_page(shipped: Sequence[tuple[str, str]], stored: NetworkPage) -> str:
    """Return the list of networks.

    Args:
        shipped: name and sentence of each shipped network.
        stored: a page of stored networks.
    """
    rows = [
        element("li", element("a", name, href=network_address(name)), element("span", marked(sentence)))
        for name, sentence in shipped
    ]
    return page_html(
        "dc-twin",
        element("p", "What does a change do to paths, congestion, the training step and the cost? Choose a network."),
        element("h2", "Networks that ship"),
        element("ul", *rows, class_="networks"),
        element("h2", "Stored networks", id="stored"),
        _stored(stored),
        _upload(),
        heading="Networks",
    )


def _stored(page: NetworkPage) -> Html:
    if not page.networks:
        return element("p", "No network is stored here. Add one below.")
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
            element("td", row.stored_at),
            element("td", _delete_button(row)),
        )
        for row in page.networks
    ]
    more = None if page.next is None else element("p", element("a", "More", href=f"/?after={quote(page.next)}#stored"))
    headings = (("name", ""), ("title", ""), ("nodes", "number"), ("links", "number"), ("revision", "number"))
    return joined((_table("Stored networks", (*headings, ("stored, UTC", ""), ("", "")), rows), more))


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
    """Return the form that stores a document. The script of the page sends it to `PUT /v1/networks/{name}`."""
    name, file = "upload-name", "upload-file"
    described = {"aria_describedby": f"{file}-help"}
    return element(
        "form",
        element("h2", "Store a document"),
        element(
            "div",
            element("label", "Name", for_=name),
            element(
                "input",
                type="text",
                id=name,
                required=True,
                pattern="[a-z0-9._\\-]{1,64}",
                maxlength=64,
                autocomplete="off",
                aria_describedby=f"{name}-help",
            ),
            element("p", "1 to 64 of a-z, 0-9, dot, underscore and hyphen.", class_="help", id=f"{name}-help"),
            class_="field",
            data_field="name",
        ),
        element(
            "div",
            element("label", "Document", for_=file),
            element("input", type="file", id=file, required=True, accept=".json,.yaml,.yml", **described),
            element("p", "JSON or YAML. A name that exists gets a new revision.", class_="help", id=f"{file}-help"),
            class_="field",
        ),
        element("button", "Store", type="submit"),
        element("div", data_result=True, aria_live="polite"),
        data_put=True,
    )


def revisions_page(name: str, page: RevisionPage) -> str:
    """Return the revisions of a stored network.

    Args:
        name: name of the network.
        page: a page of its revisions.
    """
    rows = [
        element(
            "tr",
            element(
                "td", element("a", str(row.number), href=network_address(f"{name}@{row.revision}")), class_="number"
            ),
            element("td", row.stored_at),
            element("td", f"{row.n_nodes:,}", class_="number"),
            element("td", f"{row.n_links:,}", class_="number"),
            element("td", element("code", row.revision[:12])),
        )
        for row in page.revisions
    ]
    headings = (("revision", "number"), ("stored, UTC", ""), ("nodes", "number"), ("links", "number"), ("digest", ""))
    older = f"{network_address(name)}/revisions?after={page.next}"
    return page_html(
        f"{name}: revisions",
        element("p", element("a", "The current revision", href=network_address(name))),
        _table("Revisions", headings, rows),
        element("p", element("a", "Older", href=older)) if page.next is not None else None,
    )
