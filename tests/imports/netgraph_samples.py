"""Scenarios of NetGraph, written by hand: the current format and the one before it, for the same network."""

NETGRAPH = """
network:
  name: two pods
  nodes:
    pod[1-2]:
      blueprint: pod
      params: {leaf.count: 3}
      risk_groups: [power]
    WAN:
      attrs: {role: core, coords: [50.9, 6.96], vendor: X}
    old: {disabled: true}
  node_rules:
    - path: ^pod2/
      attrs: {metro: south}
  links:
    - {source: ^pod1/spine/, target: WAN, capacity: 400, cost: 10, risk_groups: ["duct[1-2]"],
       attrs: {distance_km: 12.5}}
    - source: {path: "^${pod}/spine", match: {conditions: [{attr: metro, op: ==, value: south}]}}
      target: WAN
      pattern: one_to_one
      expand: {vars: {pod: [pod1, pod2]}}
    - {source: WAN, target: old, capacity: 10, disabled: true, count: 2}
  link_rules:
    - {source: ^pod1/spine/spine-02, target: WAN, capacity: 100}
blueprints:
  pod:
    nodes:
      leaf: {count: 2, template: "leaf-{n}", attrs: {role: leaf}}
      spine: {count: 2, template: "spine-{n:02d}", attrs: {role: spine}, risk_groups: [spines]}
    links:
      - {source: /leaf, target: /spine, pattern: mesh, capacity: 100, attrs: {link_type: fabric}}
risk_groups:
  - name: power
  - generate: {scope: link, group_by: link_type, name: "kind_${value}"}
demands:
  day:
    - {source: ^pod1/leaf/, target: ^pod2/leaf/, volume: 90, mode: pairwise}
    - {source: ^WAN$, target: ^old$, volume: 5, mode: pairwise}
  night:
    - {source: ^pod2/leaf/, target: ^pod1/leaf/, volume: 1}
failures:
  single: {modes: []}
"""
OLD_NETGRAPH = """
network:
  nodes: {A: {}, AB: {}}
  groups:
    "dc[1-2]/rack[a,b]": {node_count: 2, name_template: "srv-{node_num}", attrs: {role: server}}
    spine: {attrs: {role: spine}}
  links:
    - {source: A, target: AB, link_count: 2, link_params: {capacity: 40, cost: 3}}
  adjacency:
    - {source: "/dc{n}/rack[a-b]/", target: /spine, expand_vars: {n: [1, 2]}, link_params: {capacity: 25}}
  link_overrides:
    - {source: ^A$, target: ^AB$, link_params: {capacity: 10}}
traffic_matrix_set:
  day:
    - {source_path: "^dc1/", sink_path: "^dc2/", demand: 16}
"""
