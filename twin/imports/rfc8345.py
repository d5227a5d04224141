"""Networks of RFC 8345 as JSON: layers of nodes and links, with attributes of RFC 8346, 8795, 8944 and OpenROADM.

One layer becomes the network. Links of the layers that carry it give their lengths, and are shared risks.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import DocumentError, did_you_mean
from ..errors.wording import quoted
from .cabling import Cabling
from .demands import read_demand
from .fields import Fields, plain
from .files import SourceFile, json_of, records_of
from .ledger import Ledger
from .openroadm import TOPOLOGY
from .options import ImportOptions
from .rfc8345_layer import Layer, LayerReader
from .rfc8345_support import Carriers
from .yang_json import HINT, has_networks, networks_of, records_in, without_modules

MAX_LAYERS = 1000
LAYER_ASSUMED = "layer of the network"
CARRIED = "a layer that carries others: its links are shared risks of those above, its nodes are left out"
NOT_CARRYING = "another layer: --layer names it in place of the one that is read"


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file holds networks with an id."""
    return all(map(has_networks, files))


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read the layer that is named, else the one on top; other layers are read where they carry it."""
    layers = _layers(files, ledger)
    chosen = _chosen(layers, options, ledger)
    carriers = Carriers(layers, ledger)
    for layer in chosen:
        reader = LayerReader(layer, cabling, ledger, f"{layer.key} " if len(chosen) > 1 else "")
        links = carriers.carried(reader.read(), layer.key)
        cabling.cables += links
        _rest(layer, cabling, ledger)
    for layer in layers.values():
        if layer not in chosen and (layer.links or layer.record.get("node")):
            effect = CARRIED if layer.key in carriers.used else NOT_CARRYING
            ledger.dropped("networks", effect, layer.key)


def _layers(files: Sequence[SourceFile], ledger: Ledger) -> dict[str, Layer]:
    found: dict[str, Layer] = {}
    for file in files:
        for i, network in enumerate(networks_of(file)):
            record = without_modules(network)
            where = f"{file.where}: network[{i}]"
            key = record.get("network-id")
            if not isinstance(key, str) or not key:
                raise DocumentError("has no network-id", where=where, hint=HINT)
            if key in found:
                problem = "only the first network of an id is used"
                ledger.finding("duplicate id", problem, "make ids unique", f"{file.name}: {plain(key)}")
                continue
            found[plain(key)] = Layer(plain(key), file, record, where, records_in(record, "link", where))
            if len(found) > MAX_LAYERS:
                raise DocumentError("too many networks", where=file.where, expected=f"at most {MAX_LAYERS}")
    return found


def _chosen(layers: dict[str, Layer], options: ImportOptions, ledger: Ledger) -> list[Layer]:
    """Return the layers to read: the named one, that of OpenROADM with its lines, else those that carry no other."""
    if options.layer is not None:
        if options.layer not in layers:
            hint = did_you_mean(options.layer, layers) or f"one of {', '.join(map(quoted, list(layers)[:10]))}"
            raise DocumentError(f"no network {quoted(options.layer)}", where="--layer", hint=hint)
        return [layers[options.layer]]
    candidates = [layer for layer in layers.values() if layer.links] or list(layers.values())
    below = set[str]().union(*(layer.below() for layer in candidates))
    found = [layer for layer in candidates if layer.key == TOPOLOGY]
    found = found or [layer for layer in candidates if layer.key not in below] or candidates
    if len(candidates) > len(found):
        why = f"the source has {len(candidates)} layers"
        for layer in found:
            ledger.assumed(LAYER_ASSUMED, layer.key[:80], why, "--layer", layer.file.name)
    return found


def _rest(layer: Layer, cabling: Cabling, ledger: Ledger) -> None:
    """Read the fields of the layer itself: its name, and demands of an export of the twin."""
    fields = Fields(layer.record, "networks", layer.key, ledger)
    fields.skip("network-id", "network-types", "node", "link", "supporting-network")
    name = fields.text("name")
    cabling.name = cabling.name or name or layer.key
    text = fields.raw("demands")
    if isinstance(text, str):
        where = f"{layer.where}: demands"
        for i, record in enumerate(records_of(json_of(text, where), where)):
            read_demand(Fields(record, "demands", f"demands[{i}]", ledger), layer.file.name, cabling)
    fields.close()
