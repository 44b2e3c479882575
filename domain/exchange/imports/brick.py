"""Read a Brick model (Turtle) into entities and edges. Pure; docs/how-to/import-brick.md has the mapping."""

from __future__ import annotations

import logging
import re
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import rdflib
from rdflib import RDF, RDFS, BNode, Graph, Literal, URIRef
from rdflib.plugins.parsers.notation3 import BadSyntax
from rdflib.term import Node

from domain.exchange.imports.brick_classes import ClassHierarchy, is_general
from domain.exchange.imports.brick_descriptions import Descriptions, local_name
from domain.exchange.imports.brick_relations import EDGES, OWN_RELATIONSHIPS, RELATIONS, SYMMETRIC, no_point_reason
from domain.exchange.imports.brick_words import BRICK, NO_TYPES, VALUE_TYPES, VOCABULARIES, VOCABULARY_TYPES
from domain.exchange.imports.records import EdgeRecord, EntityRecord, Record, Ref, RelationshipRecord, Remark
from graph.errors import BadInputError
from graph.kinds import EntityKind

FILE_MAX_BYTES: Final = 64 * 1024 * 1024
_UNKNOWN: Final = "Unknown"
_DEVICE, _ASSET, _SPACE = EntityKind.DEVICE, EntityKind.ASSET, EntityKind.SPACE
_KIND_NAMES: Final = {_DEVICE: "a point", _ASSET: "equipment", _SPACE: "a place"}
_LINE = re.compile(r"line (\d+)")


@dataclass(slots=True)
class Model:
    """The content of a Brick model. entities: by URI. relationships: those of its edges that are not built in.

    relations: how often each canonical relation is stated between ends that both have a class; untyped: with an end
    that has none and was taken in for the part it plays. What is dangling or of itself is in neither.
    not_understood: by predicate, how many statements nothing became of.
    """

    entities: dict[str, EntityRecord] = field(default_factory=dict)
    edges: list[EdgeRecord] = field(default_factory=list)
    relationships: list[RelationshipRecord] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    relations: dict[str, int] = field(default_factory=dict)
    untyped: dict[str, int] = field(default_factory=dict)
    not_understood: dict[str, int] = field(default_factory=dict)

    def records(self) -> Iterator[Record | Remark]:
        """Yield its records, in an order in which they can be applied."""
        yield from self.remarks
        yield from self.relationships
        yield from self.entities.values()
        yield from self.edges


def brick_read(text: str) -> Model:
    """Parse a Brick model in Turtle. Relative URIs are relative to `file:///`, wherever the file lies.

    Raises BadInputError, naming the line where it is known, for a file that does not parse.
    """
    graph = Graph()
    try:
        with _literals_as_written():
            graph.parse(data=text, format="turtle", publicID="file:///")
    except BadSyntax as error:
        raise BadInputError(_syntax_message(error), path=("file",)) from None
    except RecursionError:
        raise BadInputError("The file is nested too deep.", path=("file",)) from None
    except (IndexError, AssertionError):
        # The parser reads on where the text has ended, or misses a closing quotation mark there.
        line = text.count("\n") + 1
        raise BadInputError(
            f"The file is not Turtle: it ends inside a statement, in line {line}.", path=("file",)
        ) from None
    except Exception as error:  # noqa: BLE001
        # What the parser raises without a line, for a character that does not exist Exception itself.
        reason = " ".join(str(error).split())[:300] or "it cannot be parsed"
        raise BadInputError(f"The file is not Turtle: {reason}.", path=("file",)) from None
    return _Reader(graph).read()


@contextmanager
def _literals_as_written() -> Iterator[None]:
    """Keep the text of literals that are not of their type, and say nothing of them: the import does."""
    logger, normalize = logging.getLogger("rdflib.term"), rdflib.NORMALIZE_LITERALS
    was_disabled, logger.disabled = logger.disabled, True
    rdflib.NORMALIZE_LITERALS = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled, rdflib.NORMALIZE_LITERALS = was_disabled, normalize


def _syntax_message(error: BadSyntax) -> str:
    line = error.lines + 1
    reason = str(getattr(error, "_why", "") or error).splitlines()[0]
    match = _LINE.search(str(error))
    if match is not None:
        line = int(match[1])
    return f"The file is not Turtle: line {line}: {reason[:300]}"


class _Reader:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._hierarchy = ClassHierarchy(
            (local_name(sub), local_name(above))
            for sub, above in graph.subject_objects(RDFS.subClassOf)
            if isinstance(sub, URIRef) and isinstance(above, URIRef)
        )
        self._vocabulary: set[Node] = set()
        self._types: dict[URIRef, str] = {}
        self._classes: dict[URIRef, Sequence[str]] = {}
        # Of what has a class: None where the class does not say what it is.
        self._known: dict[URIRef, EntityKind | None] = {}
        self._statements: set[tuple[str, URIRef, URIRef]] = set()
        # Why something is no point, whatever has it as one.
        self._no_points: dict[URIRef, str] = {}
        self._model = Model()

    def read(self) -> Model:
        self._types_read()
        self._statements_read()
        kinds = self._kinds()
        self._entities_read(kinds)
        edges: dict[tuple[str, str, str], EdgeRecord] = {}
        for relation, source, target in sorted(self._statements):
            edge = self._edge(relation, source, target, kinds)
            if edge is not None:
                edges.setdefault((edge.source.label, edge.relationship, edge.target.label), edge)
        self._model.edges = list(edges.values())
        used = {edge.relationship for edge in self._model.edges}
        self._model.relationships = [record for record in OWN_RELATIONSHIPS if record.name in used]
        for relation, source, target in self._statements:
            if source in kinds and target in kinds:
                typed = source in self._types and target in self._types
                counts = self._model.relations if typed else self._model.untyped
                counts[relation] = counts.get(relation, 0) + 1
        return self._model

    def _types_read(self) -> None:
        types: dict[URIRef, set[URIRef]] = defaultdict(set)
        for subject, class_ in self._graph.subject_objects(RDF.type):
            if isinstance(subject, URIRef) and isinstance(class_, URIRef):
                types[subject].add(class_)
        for subject, classes in types.items():
            if _is_vocabulary(classes):
                self._vocabulary.add(subject)
            elif named := sorted({local_name(class_) for class_ in classes if not _says_nothing(class_)}):
                self._class_choose(subject, named)

    def _class_choose(self, subject: URIRef, names: Sequence[str]) -> None:
        """Choose what a thing is of its classes: a place before equipment before a point."""
        kinds = {name: self._hierarchy.kind(name) for name in names}
        kind = next((kind for kind in (_SPACE, _ASSET, _DEVICE) if kind in kinds.values()), None)
        # Of several classes the longest name says most, but never more than one that is below it.
        above = {other for name in names for other in self._hierarchy.above(name)}
        chosen = [name for name in names if kinds[name] is kind]
        self._types[subject] = max(chosen, key=lambda name: (name not in above, not is_general(name), len(name)))
        self._known[subject] = kind
        self._classes[subject] = names
        named = [f"{name} ({_KIND_NAMES[item]})" for name, item in kinds.items() if item is not None]
        if kind is not None and len(set(kinds.values()) - {None}) > 1:
            message = f"has classes of several kinds, {' and '.join(named)}; taken as {_KIND_NAMES[kind]}"
            self._model.remarks.append(Remark(str(subject), message))

    def _statements_read(self) -> None:
        for subject, predicate, object_ in self._graph:
            relation = RELATIONS.get(local_name(predicate)) if isinstance(predicate, URIRef) else None
            if relation is None or not isinstance(subject, URIRef) or not isinstance(object_, URIRef):
                continue
            name, turned = relation
            source, target = (object_, subject) if turned else (subject, object_)
            if source == target:
                self._model.remarks.append(Remark(str(source), f"says {local_name(predicate)} of itself; left out"))
                continue
            if name in SYMMETRIC:
                source, target = sorted((source, target))
            self._statements.add((name, source, target))

    def _kinds(self) -> dict[URIRef, EntityKind]:
        """Return what each thing is: what its class says, else what the statements about it say."""
        for relation, source, target in sorted(self._statements):
            for end, other, is_subject in ((source, target, True), (target, source, False)):
                reason = no_point_reason(relation, is_subject=is_subject, other=self._known.get(other))
                if reason is not None:
                    self._no_points.setdefault(end, reason)
        # A point has no points: what one says that it has is not one for that.
        points = {
            target
            for relation, source, target in self._statements
            if relation == "hasPoint" and self._known.get(source) is not _DEVICE
        } - set(self._no_points)
        kinds = {subject: self._known[subject] or (_DEVICE if subject in points else _ASSET) for subject in self._types}
        for subject in points & set(self._graph.subjects()):
            kinds.setdefault(subject, _DEVICE)
        self._untyped(kinds)
        return kinds

    def _untyped(self, kinds: dict[URIRef, EntityKind]) -> None:
        """Add untyped subjects that take part in relations; report the rest as dangling."""
        feeding = {source for relation, source, _ in self._statements if relation == "feeds"}
        places = {source for relation, source, _ in self._statements if relation == "isLocationOf"}
        subjects = set(self._graph.subjects())
        for relation, source, target in sorted(self._statements):
            for end in (source, target):
                if end in kinds:
                    continue
                if end in feeding or end in places or end in subjects:
                    kinds[end] = _ASSET
                    continue
                other = target if end is source else source
                message = f"is named by {local_name(other)} ({relation}) and described nowhere; dangling, left out"
                self._model.remarks.append(Remark(str(end), message))

    def _entities_read(self, kinds: Mapping[URIRef, EntityKind]) -> None:
        descriptions = Descriptions(self._graph, kinds)
        for subject, kind in sorted(kinds.items()):
            description = descriptions.describe(subject)
            classes = self._classes.get(subject, ())
            given = {"name", "type", "attributes"} | ({"location"} if description.location else set())
            self._model.entities[str(subject)] = EntityRecord(
                external_id=str(subject),
                kind=kind,
                name=description.name,
                type=self._types.get(subject, _UNKNOWN),
                attributes={**description.attributes, **({"types": list(classes)} if len(classes) > 1 else {})},
                location=description.location,
                given=frozenset(given),
            )
        self._model.remarks.extend(descriptions.remarks)
        self._rest_read(kinds, descriptions)

    def _rest_read(self, kinds: Mapping[URIRef, EntityKind], descriptions: Descriptions) -> None:
        """Count what nothing becomes of: statements by predicate, and things without a URI."""
        counts = descriptions.not_understood
        passed_over = descriptions.nodes | self._vocabulary | set(self._graph.subjects(RDFS.subClassOf))
        nameless: set[Node] = set()
        for subject, predicate, object_ in self._graph:
            is_relation = local_name(predicate) in RELATIONS
            if is_relation:
                nameless.update(end for end in (subject, object_) if isinstance(end, BNode))
            if subject in kinds or subject in passed_over or str(subject).startswith(BRICK):
                continue
            if predicate == RDF.type and not isinstance(object_, Literal):
                if isinstance(subject, BNode) and isinstance(object_, URIRef) and not _says_nothing(object_):
                    nameless.add(subject)
            elif isinstance(subject, URIRef) and not (is_relation and isinstance(object_, URIRef)):
                counts[str(predicate)] += 1
        self._model.not_understood = dict(sorted(counts.items()))
        if nameless:
            message = f"{len(nameless)} things without a URI cannot be found again; left out with what is said of them"
            self._model.remarks.append(Remark("blank nodes", message))

    def _edge(
        self, relation: str, source: URIRef, target: URIRef, kinds: dict[URIRef, EntityKind]
    ) -> EdgeRecord | None:
        if source not in kinds or target not in kinds:
            return None
        mapping = EDGES.get((relation, kinds[source], kinds[target]))
        if mapping is None:
            self._model.remarks.append(self._stray(relation, source, target, kinds))
            return None
        relationship, turned = mapping
        ends = (target, source) if turned else (source, target)
        refs = [Ref(external_id=str(end), kind=kinds[end]) for end in ends]
        return EdgeRecord(source=refs[0], relationship=relationship, target=refs[1])

    def _stray(self, relation: str, source: URIRef, target: URIRef, kinds: dict[URIRef, EntityKind]) -> Remark:
        """Return the remark on a statement that means nothing between things of these kinds."""
        known = self._known.get(target) is not None
        if relation == "hasPoint" and kinds[target] is not _DEVICE and (known or kinds[source] is not _DEVICE):
            reason = self._no_points.get(target, "feeds something or is where something is")
            by = f"by its class {self._types[target]}" if known else f"because it {reason}"
            name = _KIND_NAMES[kinds[target]]
            message = f"is {name} {by}, so that it is not a point of {local_name(source)}; left out"
            return Remark(str(target), message)
        pair = f"{kinds[source].lower()} {relation} {kinds[target].lower()}"
        return Remark(str(source), f"{pair} ({local_name(target)}) means nothing here; left out")


def _says_nothing(class_: URIRef) -> bool:
    """Return whether a class does not say what a thing is."""
    name = local_name(class_)
    return name in NO_TYPES or name.endswith(VALUE_TYPES) or str(class_).startswith(VOCABULARIES)


def _is_vocabulary(classes: Collection[URIRef]) -> bool:
    """Return whether something of these classes is a word or a shape, not a thing of the building."""
    return any(
        local_name(class_) in VOCABULARY_TYPES
        or (str(class_).startswith(VOCABULARIES) and local_name(class_) not in NO_TYPES)
        for class_ in classes
    )
