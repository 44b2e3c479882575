/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** State of an activity in its lifecycle. */
export type ActivityState =
  /** A person has it, but has not begun. */
  | 'ASSIGNED'
  /** It is not to be done. It can be opened again. */
  | 'CANCELLED'
  /** The work is done. It can be verified, or opened again. */
  | 'DONE'
  /** A person is at work on it. */
  | 'IN_PROGRESS'
  /** It has to be done, and nobody has it. */
  | 'OPEN'
  /** The work is done and was verified. It can be opened again. */
  | 'VERIFIED';

/**
 * A condition on one attribute. Exactly one comparison is given.
 *
 * Numbers are compared with numbers alone, and texts with texts: of another type, or not there, an attribute fits
 * nothing but `ne` and `exists: false`.
 */
export type AttributeCondition = {
  /** It is a text with this part, without regard to case, accents and Unicode form. At most 500 characters. */
  contains?: string | null | undefined;
  /** It is this JSON value. Null: it is there, and null. */
  eq?: unknown;
  /** True: it is there, even if null. False: it is not. */
  exists?: boolean | null | undefined;
  /** It is a number greater than this. */
  gt?: number | null | undefined;
  /** It is a number greater than this, or equal. */
  gte?: number | null | undefined;
  /** It is one of these JSON values, at most 100. */
  in?: Array<unknown> | null | undefined;
  /** It is a number less than this. */
  lt?: number | null | undefined;
  /** It is a number less than this, or equal. */
  lte?: number | null | undefined;
  /** It is another JSON value, or not there. */
  ne?: unknown;
  /** Names joined by dots, e.g. 'motor.kW'; in a list, a number names an element. At most 1,000 characters. */
  path: string;
  /** It is a text that begins so, without regard to case, accents and Unicode form. At most 500 characters. */
  startsWith?: string | null | undefined;
};

/** Conditions on entries of the audit trail, all of which must hold. A condition left out does not matter. */
export type ChangeFilter = {
  /** Only these actions, e.g. created. */
  actions?: Array<string> | null | undefined;
  /** Only changes by these actors. */
  actors?: Array<string> | null | undefined;
  /** Start of the range of system time, inclusive: changes recorded from then on. Default: no start. */
  from?: string | null | undefined;
  /** Only changes of the objects with these ids. */
  subjectIds?: Array<string | number> | null | undefined;
  /** End of the range of system time, exclusive. Default: no end. */
  to?: string | null | undefined;
  /** Id of an entity: only changes of it and of what is below it now. */
  underId?: string | number | null | undefined;
};

/** What a rule watches for: exactly one of these. At most 20 parts, nested at most 4 deep. */
export type Condition =
  {   /** Conditions that must all hold: opens with the last, clears with the first. */
  allOf: Array<Condition>; anyOf?: never; expression?: never; noData?: never; threshold?: never; }
  |  { allOf?: never;   /** Conditions of which one must hold: opens with the first, clears when none holds. */
  anyOf: Array<Condition>; expression?: never; noData?: never; threshold?: never; }
  |  { allOf?: never; anyOf?: never;   /** CEL expression over metrics that gives true or false; a metric counts for 15 minutes. */
  expression: string; noData?: never; threshold?: never; }
  |  { allOf?: never; anyOf?: never; expression?: never;   /** Silence of a metric. */
  noData: NoDataCondition; threshold?: never; }
  |  { allOf?: never; anyOf?: never; expression?: never; noData?: never;   /** A metric compared with a value. */
  threshold: ThresholdCondition; };

/** Whether a device is heard, by the time of receipt and never by the timestamps of its readings. */
export type Connectivity =
  /** It was never heard. */
  | 'NEVER_SEEN'
  /** It was heard once, but not recently. */
  | 'OFFLINE'
  /** It was heard recently. */
  | 'ONLINE';

/** A new activity. */
export type CreateActivityInput = {
  /** JSON object of attributes, free to choose. At most 65,536 bytes and 32 levels. */
  attributes?: unknown;
  /** What sort of work it is, 1 to 100 characters. Default: general. */
  category?: string | null | undefined;
  /** List of at most 500 items: texts, or objects {text, done, ...}. Default: empty. */
  checklist?: unknown;
  /** When it has to be done. Default: at no given time. */
  dueAt?: string | null | undefined;
  /** The organization's own identifier: serial number, tag, URI. Unique per kind; 1 to 1,000 characters. */
  externalId?: string | null | undefined;
  /** Where it is: a GeoJSON geometry, WGS 84, longitude first. */
  location?: { type: string; coordinates: unknown } | null | undefined;
  /** Name for people, 1 to 500 characters. */
  name: string;
  /** How urgent it is, 1 to 100 characters. Default: medium. */
  priority?: string | null | undefined;
  /** Status as text, 1 to 100 characters. Default of a new activity: `open`; of any other entity: `active`. */
  status?: string | null | undefined;
  /** Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema. */
  type?: string | null | undefined;
};

/** A new device. */
export type CreateDeviceInput = {
  /** JSON object of attributes, free to choose. At most 65,536 bytes and 32 levels. */
  attributes?: unknown;
  /** The organization's own identifier: serial number, tag, URI. Unique per kind; 1 to 1,000 characters. */
  externalId?: string | null | undefined;
  /** Version of the firmware, as text. */
  firmwareVersion?: string | null | undefined;
  /** Where it is: a GeoJSON geometry, WGS 84, longitude first. */
  location?: { type: string; coordinates: unknown } | null | undefined;
  /** Name for people, 1 to 500 characters. */
  name: string;
  /** Status as text, 1 to 100 characters. Default of a new activity: `open`; of any other entity: `active`. */
  status?: string | null | undefined;
  /** Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema. */
  type?: string | null | undefined;
};

/** A new edge. */
export type CreateEdgeInput = {
  /** True: no other edge of the relationship, from an entity of the source's kind, leads to that port of the device at the same time. Default: as the relationship says; false for most. */
  exclusive?: boolean | null | undefined;
  /** JSON object that is kept with the edge; of MONITORED_BY and CONTROLLED_BY as `linkDevice` has it. Default: {}. */
  metadata?: unknown;
  /** Port of the target device, for links. Default: none. */
  port?: number | null | undefined;
  /** Name of the relationship, as listed by `relationships`. KIND_NOT_ALLOWED where it does not join them. */
  relationship: string;
  /** Id of the entity at which the edge begins. */
  sourceId: string | number;
  /** Id of the entity at which the edge ends. */
  targetId: string | number;
  /** Instant from which it holds in the world, inclusive. Default: now. */
  validFrom?: string | null | undefined;
  /** Instant at which it ends in the world, exclusive. Default: open. */
  validUntil?: string | null | undefined;
};

/** Conditions on dead letters, all of which must hold. A condition left out does not matter. */
export type DeadLetterFilter = {
  /** Only dead letters with one of these codes. */
  codes?: Array<string> | null | undefined;
  /** Only dead letters of this device. */
  deviceId?: string | number | null | undefined;
  /** Start of the range of receipt, inclusive. Default: no start. */
  from?: string | null | undefined;
  /** Only the dead letters with these ids. */
  ids?: Array<string | number> | null | undefined;
  /** Only dead letters of these stages. */
  stages?: Array<string> | null | undefined;
  /** Only dead letters in one of these states. Default: OPEN. */
  states?: Array<DeadLetterState> | null | undefined;
  /** End of the range of receipt, exclusive. Default: no end. */
  to?: string | null | undefined;
};

/** What has become of a dead letter. */
export type DeadLetterState =
  /** Somebody discarded it; it is not tried again. */
  | 'DISCARDED'
  /** It failed, and nothing was done about it. */
  | 'OPEN'
  /** A later attempt succeeded. */
  | 'RESOLVED';

/** Direction in which edges are followed. */
export type Direction =
  /** Both ways, whichever way an edge points. */
  | 'ANY'
  /** From target to source. */
  | 'IN'
  /** From source to target. */
  | 'OUT';

/**
 * Conditions on entities, all of which must hold. One left out does not matter; an empty list matches nothing.
 *
 * At most 100 filters inside each other, 8 deep, with 100 conditions on attributes, 10 on latest points, 10 `underId`
 * and 10 `groupId`, else LIMIT_EXCEEDED; the filters of groups count with those that name them. What contradicts
 * itself is BAD_USER_INPUT.
 */
export type EntityFilter = {
  /** Only entities that meet all of these filters, too. */
  and?: Array<EntityFilter> | null | undefined;
  /** Only entities whose attributes meet all of these conditions. */
  attributes?: Array<AttributeCondition> | null | undefined;
  /** Only devices, and only those with this connectivity. */
  connectivity?: Connectivity | null | undefined;
  /** Only entities created then or later (system time). */
  createdFrom?: string | null | undefined;
  /** Only entities created before. */
  createdTo?: string | null | undefined;
  /** The deleted ones instead of the others; `restoreEntity` restores them. Of the outermost filter alone. */
  deleted?: boolean;
  /** Only entities with one of these external ids, at most 10,000. */
  externalIds?: Array<string> | null | undefined;
  /** Only members of this group. NOT_FOUND if there is none. */
  groupId?: string | number | null | undefined;
  /** True: only entities with an event that is OPEN or ACKNOWLEDGED. False: only those without. */
  hasOpenEvents?: boolean | null | undefined;
  /** Only assets whose `healthScore` is greater. */
  healthAbove?: number | null | undefined;
  /** Only assets whose `healthScore` is less. Health is compared among 20,000 assets with a profile that meet the rest of the outermost filter, else LIMIT_EXCEEDED. */
  healthBelow?: number | null | undefined;
  /** Only these entities, at most 10,000. Ids of nothing are passed over. */
  ids?: Array<string | number> | null | undefined;
  /** Only devices and assets. True: those that a link connects now, an asset with a device, a device with whatever it monitors or controls. False: the others. */
  isLinked?: boolean | null | undefined;
  /** Only entities of these kinds. Default: of all kinds. */
  kinds?: Array<EntityKind> | null | undefined;
  /** Only entities whose latest points meet all of these conditions. */
  latest?: Array<LatestCondition> | null | undefined;
  /** Only entities that do not meet this filter. */
  not?: EntityFilter | null | undefined;
  /** Only entities that meet at least one of these filters, too. */
  or?: Array<EntityFilter> | null | undefined;
  /** Only assets that use this profile. NOT_FOUND if there is none. */
  profileId?: string | number | null | undefined;
  /** Part of the name or the external id, without regard to case, accents and Unicode form. At most 500 characters. */
  search?: string | null | undefined;
  /** Only entities whose status is one of these. */
  statuses?: Array<string> | null | undefined;
  /** Only entities of these types, by name. Default: of all types. */
  types?: Array<string> | null | undefined;
  /** Id of an entity: only it and what is below it (its parts, what is located in it, their devices). */
  underId?: string | number | null | undefined;
  /** Only entities last changed then or later (system time). */
  updatedFrom?: string | null | undefined;
  /** Only entities last changed before. */
  updatedTo?: string | null | undefined;
};

/** What kind of entity it is. Its type is finer, and is data. */
export type EntityKind =
  /** Work for a person: an inspection, a repair, a round. */
  | 'ACTIVITY'
  /** A piece of equipment: a machine, a system, a part. */
  | 'ASSET'
  /** A source of readings: a sensor, a meter, a controller, a gateway. */
  | 'DEVICE'
  /** A person who works in the plant. */
  | 'PERSON'
  /** A place: a site, a building, a floor, a room, a zone. */
  | 'SPACE';

/** Order of a list of entities. Where two are equal, their ids decide. */
export type EntityOrder =
  /** By time of creation, the oldest first. */
  | 'CREATED_ASC'
  /** By time of creation, the newest first. */
  | 'CREATED_DESC'
  /** By external id, ascending; those without one first. */
  | 'EXTERNAL_ID_ASC'
  /** By external id, descending; those without one last. */
  | 'EXTERNAL_ID_DESC'
  /** By health as of now, the worst first; those without a score, and all else, last. Of a list with more than 20,000 assets with a profile it is LIMIT_EXCEEDED. */
  | 'HEALTH_ASC'
  /** By health as of now, the best first; otherwise as HEALTH_ASC. */
  | 'HEALTH_DESC'
  /** By when a device was last heard, the longest ago first; those never heard, and all else, last. */
  | 'LAST_SEEN_ASC'
  /** By when a device was last heard, the latest first; those never heard, and all else, last. */
  | 'LAST_SEEN_DESC'
  /** By name, ascending. */
  | 'NAME_ASC'
  /** By name, descending. */
  | 'NAME_DESC'
  /** By status, ascending. */
  | 'STATUS_ASC'
  /** By status, descending. */
  | 'STATUS_DESC'
  /** By the name of the type, ascending; those without one first. */
  | 'TYPE_ASC'
  /** By the name of the type, descending; those without one last. */
  | 'TYPE_DESC'
  /** By time of the last change, the latest last. */
  | 'UPDATED_ASC'
  /** By time of the last change, the latest first. */
  | 'UPDATED_DESC';

/**
 * Changes of many entities. A field left out keeps its value; null clears `type`, `location`, parent and profile.
 *
 * `status` and `attributes` cannot be null: BAD_USER_INPUT.
 */
export type EntityPatch = {
  /** JSON object that is merged into the attributes of each entity (RFC 7396): null takes a member away, an object is merged, all else replaces. */
  attributes?: unknown;
  /** Where it is: a GeoJSON geometry, WGS 84, longitude first. */
  location?: { type: string; coordinates: unknown } | null | undefined;
  /** Id of the asset or the space that each becomes a part of, from now on and alone. Null: of none. */
  parentId?: string | number | null | undefined;
  /** Id of the profile that each asset uses. Null: none. */
  profileId?: string | number | null | undefined;
  /** Status as text, 1 to 100 characters. An activity's is a transition like any other. */
  status?: string | null | undefined;
  /** Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema. */
  type?: string | null | undefined;
};

/** A step of escalation: an event that has been open for `after` has this severity from then on. */
export type EscalationStep = {
  /** Time since the event opened; longer than that of the step before, at most 366 days. */
  after: string;
  /** Severity from then on; higher than that of the step before. */
  severity: Severity;
};

/** Conditions on events, all of which must hold. A condition left out does not matter. */
export type EventFilter = {
  /** Only events at these entities, at most 1,000. */
  entityIds?: Array<string | number> | null | undefined;
  /** Only events whose span overlaps the range that starts then, inclusive. Default: no start. */
  from?: string | null | undefined;
  /** Only these events, at most 1,000. */
  ids?: Array<string | number> | null | undefined;
  /** Only events open at this instant of event time. */
  openAt?: string | null | undefined;
  /** Only events of these rules, at most 1,000. */
  ruleIds?: Array<string | number> | null | undefined;
  /** Only events of one of these severities. */
  severities?: Array<Severity> | null | undefined;
  /** Only events in one of these states. */
  states?: Array<EventState> | null | undefined;
  /** Only events whose span overlaps the range that ends then, exclusive. Default: no end. */
  to?: string | null | undefined;
  /** Id of an entity: only events at it and at what is below it now. NOT_FOUND if there is none. */
  underId?: string | number | null | undefined;
};

/** State of an event: the first that applies of WITHDRAWN, DISMISSED, CLEARED, ACKNOWLEDGED and OPEN. */
export type EventState =
  /** It has not cleared, and somebody has acknowledged it. */
  | 'ACKNOWLEDGED'
  /** Its condition has stopped, or its rule no longer evaluates the entity. */
  | 'CLEARED'
  /** Somebody has said that nothing has to be done about it. */
  | 'DISMISSED'
  /** It has not cleared, and nobody has acknowledged it. */
  | 'OPEN'
  /** The data as it is now never had it. */
  | 'WITHDRAWN';

/** What entities are counted by. */
export type FacetBy =
  /** By connectivity, as of Connectivity; null: entities that are no devices. */
  | 'CONNECTIVITY'
  /** By kind, as of EntityKind. */
  | 'KIND'
  /** By the severity of the worst open event, acknowledged or not, as of Severity; null: entities without an open event. */
  | 'OPEN_SEVERITY'
  /** By the id of the asset profile; null: entities that use none. */
  | 'PROFILE'
  /** By status, as text. */
  | 'STATUS'
  /** By the name of the type; null: entities without one. */
  | 'TYPE';

/** Damping of flapping: an event beyond `maxEvents` within `per` is merged into the one before it. */
export type FlapDamping = {
  /** Most events of an entity within `per`, 1 to 1,000. */
  maxEvents?: number;
  /** Length of time in which events are counted, at most 366 days. */
  per?: string;
};

/** How a group gets its members. */
export type GroupKind =
  /** By a filter: its members are what fits it now. */
  | 'DYNAMIC'
  /** By hand: its members are added and removed, each from an instant to another. */
  | 'STATIC';

/**
 * A condition on the latest point of a metric, as `latest` shows it.
 *
 * A device has one for each port: one has to fit. At least one comparison is given, and all hold of the same point.
 * Booleans are 0 and 1.
 */
export type LatestCondition = {
  /** The value is this number. */
  eq?: number | null | undefined;
  /** The value is greater. */
  gt?: number | null | undefined;
  /** The value is greater or equal. */
  gte?: number | null | undefined;
  /** The value is less. */
  lt?: number | null | undefined;
  /** The value is less or equal. */
  lte?: number | null | undefined;
  /** Name of the metric. */
  metric: string;
  /** The point is older than this by its timestamp, or there is none. Without any other comparison. */
  olderThan?: string | null | undefined;
  /** The value is this text. */
  text?: string | null | undefined;
};

/** A link of a device to an asset or a space, whose metrics the device measures or controls. */
export type LinkDeviceInput = {
  /** Id of the asset or space. */
  assetId: string | number;
  /** Id of the device. */
  deviceId: string | number;
  /** True: no other asset (or no other space) has that port over the relationship at the same time. Default: false for MONITORED_BY, since sensors may be shared; true for an asset CONTROLLED_BY a device. */
  exclusive?: boolean | null | undefined;
  /** JSON object of a `metrics_mapping`, {deviceMetric: assetMetric}, which renames and selects; without it all metrics pass. Any other member is refused. */
  metadata?: unknown;
  /** Port of the device whose readings are meant. Default: the readings without a port. */
  port?: number | null | undefined;
  /** MONITORED_BY or CONTROLLED_BY. */
  relationship?: string;
  /** Instant from which the link holds, inclusive. Default: now. */
  validFrom?: string | null | undefined;
  /** Instant at which the link ends, exclusive. Default: open. */
  validUntil?: string | null | undefined;
};

/** What a person said of an event. */
export type MarkKind =
  /** That somebody has seen it. */
  | 'ACKNOWLEDGED'
  /** A comment in free text. */
  | 'COMMENT'
  /** That nothing has to be done about it. */
  | 'DISMISSED';

/** What kind of values the points of a series have. */
export type MetricType =
  /** The values are true or false, shown as 1 and 0. */
  | 'BOOLEAN'
  /** The values are numbers. */
  | 'NUMBER'
  /** The values are texts. */
  | 'TEXT';

/** Silence of a metric: it opens `after` past a reading if no further one came, and clears at the next reading. */
export type NoDataCondition = {
  /** How long nothing has come; more than nothing, and at most 366 days. */
  after: string;
  /** False: an entity of which nothing has ever come counts from its creation. True: it has no event. */
  everHeard?: boolean;
  /** Name of the metric, 1 to 200 characters. */
  metric: string;
};

/** How a reading is compared with a value. */
export type Operator =
  /** The reading is equal to the value. */
  | 'EQ'
  /** The reading is greater than the value. */
  | 'GT'
  /** The reading is greater than or equal to the value. */
  | 'GTE'
  /** The reading is less than the value. */
  | 'LT'
  /** The reading is less than or equal to the value. */
  | 'LTE'
  /** The reading is not equal to the value. */
  | 'NEQ';

/** The actions on an event of a rule. Both may be given, or neither. */
export type RuleAction = {
  /** Id of the template from which an activity is created. */
  createActivityFromTemplateId?: string | number | null | undefined;
  /** Address, http or https, that is called about each change of the event. */
  webhookUrl?: string | null | undefined;
};

/** Conditions on rules, all of which must hold. A condition left out does not matter. */
export type RuleFilter = {
  /** True: deleted rules, too. */
  includeDeleted?: boolean;
  /** True: only rules that are active. False: only the others. */
  isActive?: boolean | null | undefined;
  /** Part of the name, without regard to case, accents and Unicode form. At most 500 characters. */
  search?: string | null | undefined;
  /** Only rules whose events open with one of these severities. */
  severities?: Array<Severity> | null | undefined;
};

/** A rule. It evaluates readings from `effectiveFrom` of event time on, until its next version. */
export type RuleInput = {
  /** The actions on its events. Default: none. */
  action?: RuleAction | null | undefined;
  /** What the rule watches for. One that can never fire or never clear is BAD_USER_INPUT. */
  condition: Condition;
  /** How flapping is damped. Default: at most 12 events within PT1H. */
  damping?: FlapDamping | null | undefined;
  /** Event time from which this holds, until the next version does. Default: now. */
  effectiveFrom?: string | null | undefined;
  /** Steps by which the severity rises while an event stays open, at most 10. Default: none. */
  escalation?: Array<EscalationStep> | null | undefined;
  /** False: from `effectiveFrom` on the rule evaluates nothing. */
  isActive?: boolean;
  /** Name of the rule, 1 to 200 characters. */
  name: string;
  /** Which entities the rule is about. Default: all of the organization. */
  scope?: RuleScope | null | undefined;
  /** Severity of its events when they open. */
  severity?: Severity;
};

/**
 * Which entities a rule is about: one of `entityId`, `type` with `kind`, `underId`, `profileId` and `groupId`.
 *
 * More than one is BAD_USER_INPUT; without any it is about the whole organization.
 */
export type RuleScope = {
  /** Only this entity: a device, an asset or a space. */
  entityId?: string | number | null | undefined;
  /** Only members of this group, as of the time of each reading. BAD_USER_INPUT for a DYNAMIC one. */
  groupId?: string | number | null | undefined;
  /** Kind of the entities, together with `type`: DEVICE, ASSET or SPACE. */
  kind?: EntityKind | null | undefined;
  /** Only assets that use this profile. */
  profileId?: string | number | null | undefined;
  /** Only entities of this type, by its name, together with `kind`. */
  type?: string | null | undefined;
  /** Only this entity and everything below it, as of the time of each reading. */
  underId?: string | number | null | undefined;
};

/** How serious an event is, ascending. */
export type Severity =
  /** The greatest of the four severities. */
  | 'CRITICAL'
  /** More serious than MEDIUM. */
  | 'HIGH'
  /** The least of the four severities. */
  | 'LOW'
  /** More serious than LOW; the default of a rule. */
  | 'MEDIUM';

/**
 * A metric compared with a value. It is a condition on each reading, and texts are ignored.
 *
 * It opens at the first reading by which all readings for `for` have satisfied it, and clears at the first reading by
 * which all for `clearFor` have passed `clearValue` the other way.
 */
export type ThresholdCondition = {
  /** How long that has to last before it clears; at most 366 days. Default: one reading is enough. */
  clearFor?: string;
  /** Value that readings have to pass the other way before it clears. Default: `value`. */
  clearValue?: number | null | undefined;
  /** How long it has to hold before it opens; at most 366 days. Default: one reading is enough. */
  for?: string;
  /** Name of the metric, 1 to 200 characters. */
  metric: string;
  /** How the reading is compared with `value`. */
  operator: Operator;
  /** Value with which readings are compared. */
  value: number;
};

/** A traversal of the graph, step by step. */
export type TraverseInput = {
  /** Valid time: what was true in the world at that instant. Default: now. */
  asOf?: string | null | undefined;
  /** System time: what Argus had recorded by that instant. Default: now; the future is BAD_USER_INPUT. */
  knownAt?: string | null | undefined;
  /** Most entities that are returned, 1 to 10,000. */
  limit?: number;
  /** Ids of the entities where the first step starts, at most 1,000. */
  startIds: Array<string | number>;
  /** Up to 16 steps. Each starts from every entity that the step before kept; what the last one keeps is returned. */
  steps: Array<TraverseStep>;
};

/** One step of a traversal: 1 to `depth` hops over these relationships. */
export type TraverseStep = {
  /** Greatest number of hops, 1 to 32. */
  depth?: number;
  /** Direction in which edges are followed. */
  direction?: Direction;
  /** True: the step keeps the entities it starts from, too, whatever their kind and type. */
  includeStart?: boolean;
  /** Which kinds of entity the step keeps; others are passed through all the same. Default: all. */
  kinds?: Array<EntityKind> | null | undefined;
  /** Names of the relationships to follow. */
  relationships: Array<string>;
  /** Which types of entity the step keeps, by name; others are passed through all the same. Default: all. */
  types?: Array<string> | null | undefined;
};

/**
 * Changes of an activity. A field left out keeps its value; null clears it.
 *
 * `name`, `status`, `category`, `priority` and `checklist` cannot be cleared: null is BAD_USER_INPUT.
 */
export type UpdateActivityInput = {
  /** JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together. */
  attributes?: unknown;
  /** What sort of work it is, 1 to 100 characters. */
  category?: string | null | undefined;
  /** List of at most 500 items, texts or objects {text, done, ...}; replaced as a whole. */
  checklist?: unknown;
  /** When it has to be done. */
  dueAt?: string | null | undefined;
  /** The organization's own identifier: serial number, tag, URI. Unique per kind; 1 to 1,000 characters. */
  externalId?: string | null | undefined;
  /** `updatedAt` as the caller read it: CONFLICT where it was changed since. Default: no matter. */
  ifUpdatedAt?: string | null | undefined;
  /** Where it is: a GeoJSON geometry, WGS 84, longitude first. */
  location?: { type: string; coordinates: unknown } | null | undefined;
  /** Name for people, 1 to 500 characters. */
  name?: string | null | undefined;
  /** How urgent it is, 1 to 100 characters. */
  priority?: string | null | undefined;
  /** JSON object that takes the place of all attributes; instead of `attributes`. */
  replaceAttributes?: unknown;
  /** Status as text, 1 to 100 characters. CONFLICT for a state to which the activity cannot be moved. */
  status?: string | null | undefined;
  /** Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema. */
  type?: string | null | undefined;
};

/**
 * Changes of an asset. A field left out keeps its value; null clears it.
 *
 * `name` and `status` cannot be cleared: null is BAD_USER_INPUT.
 */
export type UpdateAssetInput = {
  /** JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together. */
  attributes?: unknown;
  /** The organization's own identifier: serial number, tag, URI. Unique per kind; 1 to 1,000 characters. */
  externalId?: string | null | undefined;
  /** `updatedAt` as the caller read it: CONFLICT where it was changed since. Default: no matter. */
  ifUpdatedAt?: string | null | undefined;
  /** Where it is: a GeoJSON geometry, WGS 84, longitude first. */
  location?: { type: string; coordinates: unknown } | null | undefined;
  /** Name for people, 1 to 500 characters. */
  name?: string | null | undefined;
  /** JSON object that takes the place of all attributes; instead of `attributes`. */
  replaceAttributes?: unknown;
  /** Status as text, 1 to 100 characters. Default of a new activity: `open`; of any other entity: `active`. */
  status?: string | null | undefined;
  /** Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema. */
  type?: string | null | undefined;
};

/**
 * Changes of a device. A field left out keeps its value; null clears it.
 *
 * `name` and `status` cannot be cleared: null is BAD_USER_INPUT.
 */
export type UpdateDeviceInput = {
  /** JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together. */
  attributes?: unknown;
  /** The organization's own identifier: serial number, tag, URI. Unique per kind; 1 to 1,000 characters. */
  externalId?: string | null | undefined;
  /** Version of the firmware, as text. */
  firmwareVersion?: string | null | undefined;
  /** `updatedAt` as the caller read it: CONFLICT where it was changed since. Default: no matter. */
  ifUpdatedAt?: string | null | undefined;
  /** Where it is: a GeoJSON geometry, WGS 84, longitude first. */
  location?: { type: string; coordinates: unknown } | null | undefined;
  /** Name for people, 1 to 500 characters. */
  name?: string | null | undefined;
  /** JSON object that takes the place of all attributes; instead of `attributes`. */
  replaceAttributes?: unknown;
  /** Status as text, 1 to 100 characters. Default of a new activity: `open`; of any other entity: `active`. */
  status?: string | null | undefined;
  /** Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema. */
  type?: string | null | undefined;
};

/**
 * Changes of a person. A field left out keeps its value; null clears it.
 *
 * `name` and `status` cannot be cleared: null is BAD_USER_INPUT.
 */
export type UpdatePersonInput = {
  /** JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together. */
  attributes?: unknown;
  /** E-mail address, at most 254 characters. */
  email?: string | null | undefined;
  /** The organization's own identifier: serial number, tag, URI. Unique per kind; 1 to 1,000 characters. */
  externalId?: string | null | undefined;
  /** `updatedAt` as the caller read it: CONFLICT where it was changed since. Default: no matter. */
  ifUpdatedAt?: string | null | undefined;
  /** Where it is: a GeoJSON geometry, WGS 84, longitude first. */
  location?: { type: string; coordinates: unknown } | null | undefined;
  /** Name for people, 1 to 500 characters. */
  name?: string | null | undefined;
  /** JSON object that takes the place of all attributes; instead of `attributes`. */
  replaceAttributes?: unknown;
  /** Status as text, 1 to 100 characters. Default of a new activity: `open`; of any other entity: `active`. */
  status?: string | null | undefined;
  /** Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema. */
  type?: string | null | undefined;
};

/**
 * Changes of a space. A field left out keeps its value; null clears it.
 *
 * `name` and `status` cannot be cleared: null is BAD_USER_INPUT.
 */
export type UpdateSpaceInput = {
  /** JSON object that is merged into the stored attributes (RFC 7396, JSON Merge Patch): null takes a member away, an object is merged, anything else replaces. At most 65,536 bytes and 32 levels together. */
  attributes?: unknown;
  /** The organization's own identifier: serial number, tag, URI. Unique per kind; 1 to 1,000 characters. */
  externalId?: string | null | undefined;
  /** `updatedAt` as the caller read it: CONFLICT where it was changed since. Default: no matter. */
  ifUpdatedAt?: string | null | undefined;
  /** Where it is: a GeoJSON geometry, WGS 84, longitude first. */
  location?: { type: string; coordinates: unknown } | null | undefined;
  /** Name for people, 1 to 500 characters. */
  name?: string | null | undefined;
  /** JSON object that takes the place of all attributes; instead of `attributes`. */
  replaceAttributes?: unknown;
  /** Status as text, 1 to 100 characters. Default of a new activity: `open`; of any other entity: `active`. */
  status?: string | null | undefined;
  /** Name of the type, e.g. 'AHU'. One that is not registered yet is registered, with an empty schema. */
  type?: string | null | undefined;
};

export type AlarmSeriesQueryVariables = Exact<{
  id: string | number;
  metrics?: Array<string> | string | null | undefined;
  from: string;
  to: string;
}>;


export type AlarmSeriesQuery = { entity:
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, truncated: boolean, incomplete: boolean }> | null }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, truncated: boolean, incomplete: boolean }> | null }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, truncated: boolean, incomplete: boolean }> | null }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, truncated: boolean, incomplete: boolean }> | null }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, truncated: boolean, incomplete: boolean }> | null }
   | null };

export type AlarmDetailChangedSubscriptionVariables = Exact<{
  filter: EventFilter;
}>;


export type AlarmDetailChangedSubscription = { events: { id: string } };

export type AlarmFiltersQueryVariables = Exact<{
  under: string | number;
  hasUnder: boolean;
  rule: string | number;
  hasRule: boolean;
}>;


export type AlarmFiltersQuery = { rules: { totalCount: number }, active: { totalCount: number }, rule?:
    | { __typename: 'Activity' }
    | { __typename: 'ActivityStep' }
    | { __typename: 'ActivityTemplate' }
    | { __typename: 'ApiKey' }
    | { __typename: 'Asset' }
    | { __typename: 'AssetProfile' }
    | { __typename: 'Change' }
    | { __typename: 'DeadLetter' }
    | { __typename: 'Device' }
    | { __typename: 'DeviceToken' }
    | { __typename: 'Edge' }
    | { __typename: 'EntityType' }
    | { __typename: 'Event' }
    | { __typename: 'Group' }
    | { __typename: 'MaintenanceWindow' }
    | { __typename: 'Notification' }
    | { __typename: 'Person' }
    | { __typename: 'RawReading' }
    | { __typename: 'Replay' }
    | { __typename: 'Rollup' }
    | { __typename: 'Rule', id: string, name: string }
    | { __typename: 'Shelf' }
    | { __typename: 'Space' }
   | null, shelves: { nodes: Array<{ id: string, from: string, to: string, note: string | null, actor: string, rule: { id: string, name: string } | null, entity:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       | null }> } | null, entity?:
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
   | null };

export type AlarmsNamedQueryVariables = Exact<{
  text: string;
}>;


export type AlarmsNamedQuery = { search: Array<{ entity:
      | { id: string }
      | { id: string }
      | { id: string }
      | { id: string }
      | { id: string }
     }> };

export type CorrectionCausesQueryVariables = Exact<{
  from: string;
  to: string;
  after?: string | null | undefined;
}>;


export type CorrectionCausesQuery = { changes: { nodes: Array<{ id: string, recordedAt: string, actor: string, action: string, before: unknown, after: unknown, reason: string | null, subject:
        | { __typename: 'Activity', id: string }
        | { __typename: 'ActivityStep', id: string }
        | { __typename: 'ActivityTemplate', id: string }
        | { __typename: 'ApiKey', id: string }
        | { __typename: 'Asset', id: string }
        | { __typename: 'AssetProfile', id: string }
        | { __typename: 'Change', id: string }
        | { __typename: 'DeadLetter', id: string }
        | { __typename: 'Device', id: string }
        | { __typename: 'DeviceToken', id: string }
        | { __typename: 'Edge', edgeId: string, relationship: string, id: string, source:
            | { id: string, name: string }
            | { id: string, name: string }
            | { id: string, name: string }
            | { id: string, name: string }
            | { id: string, name: string }
          , target:
            | { id: string, name: string }
            | { id: string, name: string }
            | { id: string, name: string }
            | { id: string, name: string }
            | { id: string, name: string }
           }
        | { __typename: 'EntityType', id: string }
        | { __typename: 'Event', id: string }
        | { __typename: 'Group', id: string }
        | { __typename: 'MaintenanceWindow', id: string }
        | { __typename: 'Notification', id: string }
        | { __typename: 'Person', id: string }
        | { __typename: 'RawReading', id: string }
        | { __typename: 'Replay', id: string }
        | { __typename: 'Rollup', id: string }
        | { __typename: 'Rule', id: string }
        | { __typename: 'Shelf', id: string }
        | { __typename: 'Space', id: string }
       | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CorrectionNearQueryVariables = Exact<{
  entityId: string | number;
}>;


export type CorrectionNearQuery = { entity:
    | { id: string, related: { nodes: Array<
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
        > } | null }
    | { id: string, related: { nodes: Array<
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
        > } | null }
    | { id: string, related: { nodes: Array<
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
        > } | null }
    | { id: string, related: { nodes: Array<
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
        > } | null }
    | { id: string, related: { nodes: Array<
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
        > } | null }
   | null };

export type AlarmEpisodesQueryVariables = Exact<{
  filter: EventFilter;
}>;


export type AlarmEpisodesQuery = { events: { nodes: Array<{ id: string, port: string | null, state: EventState, suppressed: boolean, beganAt: string, openedAt: string, clearedAt: string | null }>, pageInfo: { hasNextPage: boolean } } };

export type EpisodeSeriesQueryVariables = Exact<{
  id: string | number;
  metrics?: Array<string> | string | null | undefined;
  from0: string;
  to0: string;
  from1: string;
  to1: string;
  from2: string;
  to2: string;
  from3: string;
  to3: string;
  from4: string;
  to4: string;
  has1: boolean;
  has2: boolean;
  has3: boolean;
  has4: boolean;
}>;


export type EpisodeSeriesQuery = { entity:
    | { id: string, e0: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e1?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e2?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e3?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e4?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null }
    | { id: string, e0: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e1?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e2?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e3?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e4?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null }
    | { id: string, e0: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e1?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e2?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e3?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e4?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null }
    | { id: string, e0: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e1?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e2?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e3?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e4?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null }
    | { id: string, e0: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e1?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e2?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e3?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null, e4?: Array<{ port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> }> | null }
   | null };

export type EpisodePointsFragment = { port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null> };

export type OpenAlarmRowsQueryVariables = Exact<{
  filter: EventFilter;
}>;


export type OpenAlarmRowsQuery = { events: { totalCount: number, nodes: Array<{ id: string, severity: Severity, openedAt: string, rule: { id: string, name: string } | null, entity:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       }> } };

export type OpenAlarmRowsChangedSubscriptionVariables = Exact<{
  id: string | number;
}>;


export type OpenAlarmRowsChangedSubscription = { events: { id: string } };

export type AlarmRowFragment = { id: string, state: EventState, severity: Severity, beganAt: string, openedAt: string, clearedAt: string | null, detectedAt: string, withdrawnAt: string | null, acknowledgedAt: string | null, dismissedAt: string | null, value: number | null, flaps: number, suppressed: boolean, rule: { id: string, name: string } | null, entity:
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
   };

export type AlarmDetailQueryVariables = Exact<{
  id: string | number;
}>;


export type AlarmDetailQuery = { node:
    | { __typename: 'Activity' }
    | { __typename: 'ActivityStep' }
    | { __typename: 'ActivityTemplate' }
    | { __typename: 'ApiKey' }
    | { __typename: 'Asset' }
    | { __typename: 'AssetProfile' }
    | { __typename: 'Change' }
    | { __typename: 'DeadLetter' }
    | { __typename: 'Device' }
    | { __typename: 'DeviceToken' }
    | { __typename: 'Edge' }
    | { __typename: 'EntityType' }
    | { __typename: 'Event', clearedReason: string | null, port: string | null, id: string, state: EventState, severity: Severity, beganAt: string, openedAt: string, clearedAt: string | null, detectedAt: string, withdrawnAt: string | null, acknowledgedAt: string | null, dismissedAt: string | null, value: number | null, flaps: number, suppressed: boolean, marks: Array<{ kind: MarkKind, at: string, actor: string, note: string | null }>, corrections: Array<{ recordedAt: string, before: unknown, after: unknown }> | null, activities: Array<{ id: string, kind: EntityKind, name: string, state: ActivityState, dueAt: string | null }>, rule: { condition: unknown, severity: Severity, isActive: boolean, deletedAt: string | null, id: string, name: string } | null, entity:
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
       }
    | { __typename: 'Group' }
    | { __typename: 'MaintenanceWindow' }
    | { __typename: 'Notification' }
    | { __typename: 'Person' }
    | { __typename: 'RawReading' }
    | { __typename: 'Replay' }
    | { __typename: 'Rollup' }
    | { __typename: 'Rule' }
    | { __typename: 'Shelf' }
    | { __typename: 'Space' }
   | null };

export type CommentAlarmMutationVariables = Exact<{
  id: string | number;
  note: string;
}>;


export type CommentAlarmMutation = { commentEvent: { event: { id: string, state: EventState } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type AcknowledgeAlarmsMutationVariables = Exact<{
  filter: EventFilter;
  note?: string | null | undefined;
  dryRun: boolean;
}>;


export type AcknowledgeAlarmsMutation = { acknowledgeEvents: { matched: number, changed: number, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type DismissAlarmsMutationVariables = Exact<{
  filter: EventFilter;
  note?: string | null | undefined;
  dryRun: boolean;
}>;


export type DismissAlarmsMutation = { dismissEvents: { matched: number, changed: number, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type ShelveAlarmsMutationVariables = Exact<{
  to: string;
  ruleId?: string | number | null | undefined;
  entityId?: string | number | null | undefined;
  note?: string | null | undefined;
}>;


export type ShelveAlarmsMutation = { shelveEvents: { shelf: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type UnshelveAlarmsMutationVariables = Exact<{
  id: string | number;
}>;


export type UnshelveAlarmsMutation = { unshelveEvents: { shelf: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type CreateWorkMutationVariables = Exact<{
  input: CreateActivityInput;
}>;


export type CreateWorkMutation = { createActivity: { activity: { id: string, name: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type TargetWorkMutationVariables = Exact<{
  activityId: string | number;
  targetId: string | number;
}>;


export type TargetWorkMutation = { createEdge: { edge: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type CreateWorkFromTemplateMutationVariables = Exact<{
  templateId: string | number;
  targetIds: Array<string | number> | string | number;
}>;


export type CreateWorkFromTemplateMutation = { createActivityFromTemplate: { activity: { id: string, name: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type WorkTemplatesQueryVariables = Exact<{ [key: string]: never; }>;


export type WorkTemplatesQuery = { activityTemplates: { nodes: Array<{ id: string, name: string, description: string | null, deletedAt: string | null }> } };

export type AlarmsQueryVariables = Exact<{
  filter: EventFilter;
  first: number;
  after?: string | null | undefined;
  past: boolean;
}>;


export type AlarmsQuery = { events: { totalCount: number, nodes: Array<{ id: string, state: EventState, severity: Severity, beganAt: string, openedAt: string, clearedAt: string | null, detectedAt: string, withdrawnAt: string | null, acknowledgedAt: string | null, dismissedAt: string | null, value: number | null, flaps: number, suppressed: boolean, corrections?: Array<{ recordedAt: string, before: unknown, after: unknown }> | null, rule: { id: string, name: string } | null, entity:
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
       }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type AlarmPlacesQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type AlarmPlacesQuery = { nodes: Array<
    | { __typename: 'Activity', id: string }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', id: string, related: { nodes: Array<
          | { id: string, name: string }
          | { id: string, name: string }
          | { id: string, name: string }
          | { id: string, name: string }
          | { id: string, name: string }
        > } | null, whole: { nodes: Array<
          | { related: { nodes: Array<
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
              > } | null }
          | { related: { nodes: Array<
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
              > } | null }
          | { related: { nodes: Array<
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
              > } | null }
          | { related: { nodes: Array<
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
              > } | null }
          | { related: { nodes: Array<
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
                | { id: string, name: string }
              > } | null }
        > } | null }
    | { __typename: 'AssetProfile', id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', id: string, related: { nodes: Array<
          | { id: string, name: string }
          | { id: string, name: string }
          | { id: string, name: string }
          | { id: string, name: string }
          | { id: string, name: string }
        > } | null }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', id: string }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', id: string }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', id: string }
   | null> };

export type AlarmUpdatesSubscriptionVariables = Exact<{
  filter: EventFilter;
}>;


export type AlarmUpdatesSubscription = { events: { id: string, state: EventState, severity: Severity, beganAt: string, openedAt: string, clearedAt: string | null, detectedAt: string, withdrawnAt: string | null, acknowledgedAt: string | null, dismissedAt: string | null, value: number | null, flaps: number, suppressed: boolean, rule: { id: string, name: string } | null, entity:
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
     } };

export type AssetOverviewQueryVariables = Exact<{
  id: string | number;
  at?: string | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type AssetOverviewQuery = { healthExplanation: { from: string, to: string, score: number | null, parts: Array<{ part: string, subject: string | null, cost: number, weight: number, detail: string }> } | null, node:
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, children: { totalCount: number, nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null, healthScore: number | null }> } | null, located: { totalCount: number, nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        > } | null, devices: { totalCount: number, nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null }> } | null, work: { nodes: Array<
          | { state: ActivityState, dueAt: string | null, id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
        > } | null, derivationFaults: Array<{ metric: string, message: string }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
   | null };

export type AssetPageQueryVariables = Exact<{
  id: string | number;
  at: string;
  isSeen: boolean;
  steps: Array<TraverseStep> | TraverseStep;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type AssetPageQuery = { node:
    | { __typename: 'Activity', kind: EntityKind, id: string }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', kind: EntityKind, name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, location: { type: string; coordinates: unknown } | null, healthScore: number | null, id: string, profile: { name: string } | null, asRecorded?: { name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, location: { type: string; coordinates: unknown } | null, recordedAt: string, actor: string, deletedAt: string | null } | null }
    | { __typename: 'AssetProfile', id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', kind: EntityKind, id: string }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', id: string }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', kind: EntityKind, id: string }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', kind: EntityKind, id: string }
   | null, traverse: { edges: Array<{ relationship: string, source:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
      , target:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       }> } };

export type LinkedDeviceStatesQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
}>;


export type LinkedDeviceStatesQuery = { nodes: Array<
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { connectivity: Connectivity, lastSeenAt: string | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
   | null> };

export type HubPlacesQueryVariables = Exact<{
  id: string | number;
  wayIds: Array<string | number> | string | number;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
}>;


export type HubPlacesQuery = { way: Array<
    | { kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null, id: string }
   | null>, node:
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, inside: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
        > } | null, stays: { totalCount: number, nodes: Array<{ metric: string, entered: string | null, left: string | null, lost: boolean, entity:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
           | null, space:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
           | null }> } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, inside: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
        > } | null, occupants: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
          | { id: string, kind: EntityKind, name: string, location: { type: string; coordinates: unknown } | null }
        > } | null, stays: { totalCount: number, nodes: Array<{ metric: string, entered: string | null, left: string | null, lost: boolean, entity:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
           | null, space:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
           | null }> } | null }
   | null };

export type StayRowsFragment = { totalCount: number, nodes: Array<{ metric: string, entered: string | null, left: string | null, lost: boolean, entity:
      | { id: string, kind: EntityKind, name: string }
      | { id: string, kind: EntityKind, name: string }
      | { id: string, kind: EntityKind, name: string }
      | { id: string, kind: EntityKind, name: string }
      | { id: string, kind: EntityKind, name: string }
     | null, space:
      | { id: string, kind: EntityKind, name: string }
      | { id: string, kind: EntityKind, name: string }
      | { id: string, kind: EntityKind, name: string }
      | { id: string, kind: EntityKind, name: string }
      | { id: string, kind: EntityKind, name: string }
     | null }> };

export type SupplierVersionsQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
  from: string;
  to: string;
}>;


export type SupplierVersionsQuery = { edgeVersions: { nodes: Array<{ id: string, edgeId: string, port: number | null, metadata: unknown, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, target:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       }>, pageInfo: { hasNextPage: boolean } } };

export type AssetListQueryVariables = Exact<{
  filter?: EntityFilter | null | undefined;
  orderBy?: EntityOrder | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type AssetListQuery = { assets: { nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null, status: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, newest: { nodes: Array<{ createdAt: string }> } };

export type SpaceListQueryVariables = Exact<{
  filter?: EntityFilter | null | undefined;
  orderBy?: EntityOrder | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type SpaceListQuery = { spaces: { nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null, status: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, newest: { nodes: Array<{ createdAt: string }> } };

export type HubFacetsQueryVariables = Exact<{
  filter?: EntityFilter | null | undefined;
  forType?: EntityFilter | null | undefined;
  forStatus?: EntityFilter | null | undefined;
  forAlarms?: EntityFilter | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  under: string | number;
  isUnder: boolean;
}>;


export type HubFacetsQuery = { entities: { totalCount: number }, type: Array<{ values: Array<{ value: string | null, label: string | null, count: number }> }>, status: Array<{ values: Array<{ value: string | null, label: string | null, count: number }> }>, alarms: Array<{ values: Array<{ value: string | null, count: number }> }>, under?:
    | { kind: EntityKind, name: string, type: string | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, type: string | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, type: string | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, type: string | null, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, type: string | null, id: string }
   | null };

export type VisibleHubRowsQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
  states?: Array<EventState> | EventState | null | undefined;
  openAt?: string | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type VisibleHubRowsQuery = { nodes: Array<
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { healthScore: number | null, id: string, parents: Array<{ id: string, kind: EntityKind, name: string }> | null, places: { nodes: Array<
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
        > } | null, devices: { totalCount: number } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, parents: Array<{ id: string, kind: EntityKind, name: string }> | null, occupants: { totalCount: number } | null, children: { totalCount: number } | null }
   | null>, events: { nodes: Array<{ id: string, severity: Severity, entity:
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
       }> } };

export type TreeBranchesQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  hasParts: boolean;
  hasLocated: boolean;
  hasDevices: boolean;
  afterParts?: string | null | undefined;
  afterLocated?: string | null | undefined;
  afterDevices?: string | null | undefined;
}>;


export type TreeBranchesQuery = { nodes: Array<
    | { id: string, parts?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, located?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, devices?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, parts?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, located?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, devices?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, parts?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, located?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, devices?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, parts?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, located?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, devices?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, parts?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, located?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, devices?: { nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
   | null> };

export type TreeLevelFragment = { nodes: Array<
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
  >, pageInfo: { hasNextPage: boolean, endCursor: string | null } };

export type TreeRowsQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type TreeRowsQuery = { nodes: Array<
    | { __typename: 'Activity', id: string }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', healthScore: number | null, id: string, children: { totalCount: number } | null, located: { totalCount: number } | null, devices: { totalCount: number } | null }
    | { __typename: 'AssetProfile', id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', connectivity: Connectivity, id: string }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', id: string }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', id: string }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', id: string, children: { totalCount: number } | null, located: { totalCount: number } | null, devices: { totalCount: number } | null }
   | null> };

export type TreeOpenAlarmsQueryVariables = Exact<{
  states?: Array<EventState> | EventState | null | undefined;
  openAt?: string | null | undefined;
}>;


export type TreeOpenAlarmsQuery = { events: { nodes: Array<{ id: string, severity: Severity, entity:
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
       }>, pageInfo: { hasNextPage: boolean } } };

export type TreeAlarmPlacesQueryVariables = Exact<{
  input: TraverseInput;
}>;


export type TreeAlarmPlacesQuery = { traverse: { edges: Array<{ id: string, relationship: string, source:
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
      , target:
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
       }> } };

export type TreeAlarmsChangedSubscriptionVariables = Exact<{
  filter?: EventFilter | null | undefined;
}>;


export type TreeAlarmsChangedSubscription = { events: { id: string } };

export type TreeRootsQueryVariables = Exact<{
  filter?: EntityFilter | null | undefined;
  kinds: Array<EntityKind> | EntityKind;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  hasSpaces: boolean;
  hasAssets: boolean;
  afterSpaces?: string | null | undefined;
  afterAssets?: string | null | undefined;
}>;


export type TreeRootsQuery = { spaces?: { totalCount: number, nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null, parents: Array<{ id: string }> | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, assets?: { totalCount: number, nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null, parents: Array<{ id: string }> | null, places: { nodes: Array<
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
          | { id: string }
        > } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, newest: { nodes: Array<
      | { createdAt: string }
      | { createdAt: string }
      | { createdAt: string }
      | { createdAt: string }
      | { createdAt: string }
    > } };

export type TreeVersionsQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
  relationships: Array<string> | string;
  from: string;
  after?: string | null | undefined;
}>;


export type TreeVersionsQuery = { edgeVersions: { nodes: Array<{ id: string, edgeId: string, relationship: string, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
      , target:
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
       }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ChangesOfRangeQueryVariables = Exact<{
  filter: ChangeFilter;
  first: number;
  after?: string | null | undefined;
}>;


export type ChangesOfRangeQuery = { changes: { totalCount: number, nodes: Array<{ id: string, recordedAt: string, actor: string, action: string, before: unknown, after: unknown, reason: string | null, subject:
        | { __typename: 'Activity', kind: EntityKind, name: string, id: string }
        | { __typename: 'ActivityStep', id: string }
        | { __typename: 'ActivityTemplate', id: string }
        | { __typename: 'ApiKey', id: string }
        | { __typename: 'Asset', kind: EntityKind, name: string, id: string }
        | { __typename: 'AssetProfile', id: string }
        | { __typename: 'Change', id: string }
        | { __typename: 'DeadLetter', id: string }
        | { __typename: 'Device', kind: EntityKind, name: string, id: string }
        | { __typename: 'DeviceToken', id: string }
        | { __typename: 'Edge', edgeId: string, relationship: string, port: number | null, id: string, source:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
          , target:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
           }
        | { __typename: 'EntityType', id: string }
        | { __typename: 'Event', id: string }
        | { __typename: 'Group', id: string }
        | { __typename: 'MaintenanceWindow', id: string }
        | { __typename: 'Notification', id: string }
        | { __typename: 'Person', kind: EntityKind, name: string, id: string }
        | { __typename: 'RawReading', id: string }
        | { __typename: 'Replay', id: string }
        | { __typename: 'Rollup', id: string }
        | { __typename: 'Rule', name: string, id: string }
        | { __typename: 'Shelf', id: string }
        | { __typename: 'Space', kind: EntityKind, name: string, id: string }
       | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ChangeOfRangeFragment = { id: string, recordedAt: string, actor: string, action: string, before: unknown, after: unknown, reason: string | null, subject:
    | { __typename: 'Activity', kind: EntityKind, name: string, id: string }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', kind: EntityKind, name: string, id: string }
    | { __typename: 'AssetProfile', id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', kind: EntityKind, name: string, id: string }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', edgeId: string, relationship: string, port: number | null, id: string, source:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
      , target:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', kind: EntityKind, name: string, id: string }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', name: string, id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', kind: EntityKind, name: string, id: string }
   | null };

export type EventsOfRangeQueryVariables = Exact<{
  happened: EventFilter;
  withdrawn: EventFilter;
  subject: string | number;
  hasSubject: boolean;
  first: number;
}>;


export type EventsOfRangeQuery = { happened: { totalCount: number, nodes: Array<{ id: string, state: EventState, severity: Severity, openedAt: string, detectedAt: string, clearedAt: string | null, withdrawnAt: string | null, rule: { id: string, name: string } | null, entity:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
      , corrections: Array<{ recordedAt: string, before: unknown, after: unknown }> | null }> }, withdrawn: { nodes: Array<{ id: string, state: EventState, severity: Severity, openedAt: string, detectedAt: string, clearedAt: string | null, withdrawnAt: string | null, rule: { id: string, name: string } | null, entity:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
      , corrections: Array<{ recordedAt: string, before: unknown, after: unknown }> | null }> }, entity?:
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
   | null };

export type EventOfRangeFragment = { id: string, state: EventState, severity: Severity, openedAt: string, detectedAt: string, clearedAt: string | null, withdrawnAt: string | null, rule: { id: string, name: string } | null, entity:
    | { id: string, kind: EntityKind, name: string }
    | { id: string, kind: EntityKind, name: string }
    | { id: string, kind: EntityKind, name: string }
    | { id: string, kind: EntityKind, name: string }
    | { id: string, kind: EntityKind, name: string }
  , corrections: Array<{ recordedAt: string, before: unknown, after: unknown }> | null };

export type VersionsOfRangeQueryVariables = Exact<{
  entityIds?: Array<string | number> | string | number | null | undefined;
  underId?: string | number | null | undefined;
  from: string;
  to: string;
  after?: string | null | undefined;
}>;


export type VersionsOfRangeQuery = { edgeVersions: { totalCount: number, nodes: Array<{ id: string, edgeId: string, relationship: string, port: number | null, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
      , target:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type UpdateDevicesMutationVariables = Exact<{
  filter: EntityFilter;
  patch: EntityPatch;
  dryRun: boolean;
  reason?: string | null | undefined;
}>;


export type UpdateDevicesMutation = { updateEntities: { matched: number, changed: number, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type RetireDevicesMutationVariables = Exact<{
  filter: EntityFilter;
  dryRun: boolean;
  reason?: string | null | undefined;
}>;


export type RetireDevicesMutation = { deleteEntities: { matched: number, changed: number, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type DeviceTypeNamesQueryVariables = Exact<{ [key: string]: never; }>;


export type DeviceTypeNamesQuery = { entityTypes: Array<{ id: string, name: string }> };

export type LinkDevicesMutationVariables = Exact<{
  records: Array<unknown> | unknown;
  validFrom: string;
  dryRun: boolean;
  reason?: string | null | undefined;
}>;


export type LinkDevicesMutation = { importGraph: { edgesCreated: number, edgesUpdated: number, edgesUnchanged: number, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type IssueTokensMutationVariables = Exact<{
  deviceId: string | number;
}>;


export type IssueTokensMutation = { issueDeviceToken: { token: string | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type CreateDeviceMutationVariables = Exact<{
  input: CreateDeviceInput;
}>;


export type CreateDeviceMutation = { createDevice: { device: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type DevicePageQueryVariables = Exact<{
  id: string | number;
  at: string;
  isSeen: boolean;
}>;


export type DevicePageQuery = { node:
    | { __typename: 'Activity', kind: EntityKind, id: string }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', kind: EntityKind, id: string }
    | { __typename: 'AssetProfile', id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', kind: EntityKind, name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, connectivity: Connectivity, lastSeenAt: string | null, firmwareVersion: string | null, id: string, asRecorded?: { name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, recordedAt: string, actor: string, deletedAt: string | null } | null }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', id: string }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', kind: EntityKind, id: string }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', kind: EntityKind, id: string }
   | null };

export type RestoreDeviceMutationVariables = Exact<{
  id: string | number;
}>;


export type RestoreDeviceMutation = { restoreEntity: { entity:
      | { id: string }
      | { id: string }
      | { id: string }
      | { id: string }
      | { id: string }
     | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type RawReadingsQueryVariables = Exact<{
  id: string | number;
  after?: string | null | undefined;
}>;


export type RawReadingsQuery = { node:
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, rawReadings: { nodes: Array<{ id: string, receivedAt: string, timestamp: string | null, port: number | null, transport: string, payload: unknown, outcome: string, deadLetters: Array<{ id: string, code: string, message: string, metric: string | null }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
   | null };

export type DeviceDeadLettersQueryVariables = Exact<{
  deviceId: string | number;
  after?: string | null | undefined;
}>;


export type DeviceDeadLettersQuery = { deadLetters: { totalCount: number, nodes: Array<{ id: string, stage: string, code: string, message: string, metric: string | null, payload: unknown, receivedAt: string, attempts: number }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type RetryDeviceLettersMutationVariables = Exact<{
  filter: DeadLetterFilter;
}>;


export type RetryDeviceLettersMutation = { retryDeadLetters: { count: number, remaining: number, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type DeviceTokensQueryVariables = Exact<{
  id: string | number;
}>;


export type DeviceTokensQuery = { node:
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, tokens: Array<{ id: string, issuedAt: string, issuedBy: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
   | null };

export type IssueDeviceTokenMutationVariables = Exact<{
  deviceId: string | number;
  expiresAt?: string | null | undefined;
}>;


export type IssueDeviceTokenMutation = { issueDeviceToken: { token: string | null, tokenId: string | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type RevokeDeviceTokenMutationVariables = Exact<{
  deviceId: string | number;
  tokenId: string | number;
}>;


export type RevokeDeviceTokenMutation = { revokeDeviceToken: { tokenId: string | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type SelectedDevicesCountQueryVariables = Exact<{
  filter: EntityFilter;
}>;


export type SelectedDevicesCountQuery = { devices: { totalCount: number } };

export type SelectedDevicesQueryVariables = Exact<{
  filter: EntityFilter;
  after?: string | null | undefined;
}>;


export type SelectedDevicesQuery = { devices: { nodes: Array<{ id: string, name: string, externalId: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type DeviceListQueryVariables = Exact<{
  filter?: EntityFilter | null | undefined;
  orderBy?: EntityOrder | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type DeviceListQuery = { devices: { nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null, status: string, connectivity: Connectivity, lastSeenAt: string | null, linkedAssetsCount: number, firmwareVersion: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, newest: { nodes: Array<{ createdAt: string }> } };

export type DeviceFacetsQueryVariables = Exact<{
  filter?: EntityFilter | null | undefined;
  forType?: EntityFilter | null | undefined;
  forStatus?: EntityFilter | null | undefined;
  forConnectivity?: EntityFilter | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  under: string | number;
  isUnder: boolean;
}>;


export type DeviceFacetsQuery = { devices: { totalCount: number }, type: Array<{ values: Array<{ value: string | null, count: number }> }>, status: Array<{ values: Array<{ value: string | null, count: number }> }>, connectivity: Array<{ values: Array<{ value: string | null, count: number }> }>, under?:
    | { kind: EntityKind, name: string, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { kind: EntityKind, name: string, id: string }
   | null };

export type VisibleDevicesQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
  from: string;
  to: string;
  states?: Array<EventState> | EventState | null | undefined;
  openAt?: string | null | undefined;
}>;


export type VisibleDevicesQuery = { nodes: Array<
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { connectivity: Connectivity, lastSeenAt: string | null, linkedAssetsCount: number, id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, values: Array<number | null> }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
   | null>, events: { nodes: Array<{ id: string, severity: Severity, entity:
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
        | { id: string }
       }> } };

export type VisibleDevicesChangedSubscriptionVariables = Exact<{
  ids: Array<string | number> | string | number;
}>;


export type VisibleDevicesChangedSubscription = { entityChanged:
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
    | { connectivity: Connectivity, lastSeenAt: string | null, linkedAssetsCount: number, firmwareVersion: string | null, id: string, name: string, type: string | null, status: string, deletedAt: string | null }
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
   };

export type PointsOfRangeQueryVariables = Exact<{
  deviceId: string | number;
  from: string;
  to: string;
  bucket: string;
}>;


export type PointsOfRangeQuery = { node:
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, values: Array<number | null>, incomplete: boolean }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
   | null };

export type RetractEdgeMutationVariables = Exact<{
  id: string | number;
  reason?: string | null | undefined;
}>;


export type RetractEdgeMutation = { correctEdge: { edge: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type LinkDeviceMutationVariables = Exact<{
  input: LinkDeviceInput;
}>;


export type LinkDeviceMutation = { linkDevice: { edge: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type RelationshipChoicesQueryVariables = Exact<{ [key: string]: never; }>;


export type RelationshipChoicesQuery = { relationships: Array<{ name: string, inverse: string, sourceKinds: Array<EntityKind>, targetKinds: Array<EntityKind>, retiredAt: string | null }> };

export type CreateRelationMutationVariables = Exact<{
  input: CreateEdgeInput;
}>;


export type CreateRelationMutation = { createEdge: { edge: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type ReplaceDeviceMutationVariables = Exact<{
  deviceId: string | number;
  replacementId: string | number;
  at?: string | null | undefined;
  reason?: string | null | undefined;
}>;


export type ReplaceDeviceMutation = { replaceDevice: { ended: Array<{ id: string }> | null, created: Array<{ id: string }> | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type EndLinkMutationVariables = Exact<{
  id: string | number;
  at?: string | null | undefined;
  reason?: string | null | undefined;
}>;


export type EndLinkMutation = { endEdge: { edge: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type CorrectEdgeMutationVariables = Exact<{
  id: string | number;
  validFrom: string;
  validUntil?: string | null | undefined;
  reason?: string | null | undefined;
}>;


export type CorrectEdgeMutation = { correctEdge: { edge: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type EntityEdgeHistoryQueryVariables = Exact<{
  id: string | number;
  relationships?: Array<string> | string | null | undefined;
  after?: string | null | undefined;
}>;


export type EntityEdgeHistoryQuery = { node:
    | { id: string, edgeHistory: { totalCount: number, nodes: Array<{ id: string, edgeId: string, relationship: string, port: number | null, exclusive: boolean, metadata: unknown, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
          , target:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
           }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, edgeHistory: { totalCount: number, nodes: Array<{ id: string, edgeId: string, relationship: string, port: number | null, exclusive: boolean, metadata: unknown, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
          , target:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
           }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, edgeHistory: { totalCount: number, nodes: Array<{ id: string, edgeId: string, relationship: string, port: number | null, exclusive: boolean, metadata: unknown, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
          , target:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
           }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, edgeHistory: { totalCount: number, nodes: Array<{ id: string, edgeId: string, relationship: string, port: number | null, exclusive: boolean, metadata: unknown, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
          , target:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
           }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, edgeHistory: { totalCount: number, nodes: Array<{ id: string, edgeId: string, relationship: string, port: number | null, exclusive: boolean, metadata: unknown, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
          , target:
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
            | { id: string, kind: EntityKind, name: string, type: string | null }
           }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
   | null };

export type EdgesChangedSubscriptionVariables = Exact<{
  entityIds: Array<string | number> | string | number;
}>;


export type EdgesChangedSubscription = { edgeUpdates: { what: string } };

export type EntityFormQueryVariables = Exact<{
  id: string | number;
}>;


export type EntityFormQuery = { node:
    | { __typename: 'Activity', kind: EntityKind, name: string, externalId: string | null, type: string | null, status: string, attributes: unknown, updatedAt: string, id: string }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', kind: EntityKind, name: string, externalId: string | null, type: string | null, status: string, attributes: unknown, updatedAt: string, id: string }
    | { __typename: 'AssetProfile', id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', kind: EntityKind, name: string, externalId: string | null, type: string | null, status: string, attributes: unknown, updatedAt: string, firmwareVersion: string | null, id: string }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', id: string }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', kind: EntityKind, name: string, externalId: string | null, type: string | null, status: string, attributes: unknown, updatedAt: string, id: string }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', kind: EntityKind, name: string, externalId: string | null, type: string | null, status: string, attributes: unknown, updatedAt: string, id: string }
   | null, entityTypes: Array<{ id: string, kind: EntityKind, name: string, attributes: unknown }> };

export type EntityHistoryEdgesQueryVariables = Exact<{
  id: string | number;
}>;


export type EntityHistoryEdgesQuery = { node:
    | { id: string, edgeHistory: { nodes: Array<{ edgeId: string }>, pageInfo: { hasNextPage: boolean } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, edgeHistory: { nodes: Array<{ edgeId: string }>, pageInfo: { hasNextPage: boolean } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, edgeHistory: { nodes: Array<{ edgeId: string }>, pageInfo: { hasNextPage: boolean } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, edgeHistory: { nodes: Array<{ edgeId: string }>, pageInfo: { hasNextPage: boolean } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, edgeHistory: { nodes: Array<{ edgeId: string }>, pageInfo: { hasNextPage: boolean } } | null }
   | null };

export type EntityChangesQueryVariables = Exact<{
  subjectIds: Array<string | number> | string | number;
  to?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type EntityChangesQuery = { changes: { totalCount: number, nodes: Array<{ id: string, recordedAt: string, actor: string, action: string, before: unknown, after: unknown, reason: string | null, subject:
        | { __typename: 'Activity', kind: EntityKind, name: string, id: string }
        | { __typename: 'ActivityStep', id: string }
        | { __typename: 'ActivityTemplate', id: string }
        | { __typename: 'ApiKey', id: string }
        | { __typename: 'Asset', kind: EntityKind, name: string, id: string }
        | { __typename: 'AssetProfile', id: string }
        | { __typename: 'Change', id: string }
        | { __typename: 'DeadLetter', id: string }
        | { __typename: 'Device', kind: EntityKind, name: string, id: string }
        | { __typename: 'DeviceToken', id: string }
        | { __typename: 'Edge', relationship: string, port: number | null, id: string, source:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
          , target:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
           }
        | { __typename: 'EntityType', id: string }
        | { __typename: 'Event', id: string }
        | { __typename: 'Group', id: string }
        | { __typename: 'MaintenanceWindow', id: string }
        | { __typename: 'Notification', id: string }
        | { __typename: 'Person', kind: EntityKind, name: string, id: string }
        | { __typename: 'RawReading', id: string }
        | { __typename: 'Replay', id: string }
        | { __typename: 'Rollup', id: string }
        | { __typename: 'Rule', id: string }
        | { __typename: 'Shelf', id: string }
        | { __typename: 'Space', kind: EntityKind, name: string, id: string }
       | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type RowsChangedSubscriptionVariables = Exact<{
  ids: Array<string | number> | string | number;
}>;


export type RowsChangedSubscription = { entityChanged:
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
    | { id: string, name: string, type: string | null, status: string, deletedAt: string | null }
   };

export type RowsAlarmedSubscriptionVariables = Exact<{
  filter: EventFilter;
}>;


export type RowsAlarmedSubscription = { events: { id: string } };

export type NewcomersQueryVariables = Exact<{
  filter: EntityFilter;
}>;


export type NewcomersQuery = { entities: { totalCount: number } };

export type EntitiesAnnouncedSubscriptionVariables = Exact<{
  kinds: Array<EntityKind> | EntityKind;
}>;


export type EntitiesAnnouncedSubscription = { entityChanged:
    | { id: string, createdAt: string }
    | { id: string, createdAt: string }
    | { id: string, createdAt: string }
    | { id: string, createdAt: string }
    | { id: string, createdAt: string }
   };

export type OneEntityChangedSubscriptionVariables = Exact<{
  ids: Array<string | number> | string | number;
}>;


export type OneEntityChangedSubscription = { entityChanged:
    | { id: string, updatedAt: string }
    | { id: string, updatedAt: string }
    | { id: string, updatedAt: string }
    | { id: string, updatedAt: string }
    | { id: string, updatedAt: string }
   };

export type UpdateDeviceFieldsMutationVariables = Exact<{
  id: string | number;
  input: UpdateDeviceInput;
}>;


export type UpdateDeviceFieldsMutation = { result: { errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type UpdateAssetFieldsMutationVariables = Exact<{
  id: string | number;
  input: UpdateAssetInput;
}>;


export type UpdateAssetFieldsMutation = { result: { errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type UpdateSpaceFieldsMutationVariables = Exact<{
  id: string | number;
  input: UpdateSpaceInput;
}>;


export type UpdateSpaceFieldsMutation = { result: { errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type UpdatePersonFieldsMutationVariables = Exact<{
  id: string | number;
  input: UpdatePersonInput;
}>;


export type UpdatePersonFieldsMutation = { result: { errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type UpdateActivityFieldsMutationVariables = Exact<{
  id: string | number;
  input: UpdateActivityInput;
}>;


export type UpdateActivityFieldsMutation = { result: { errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type GraphRootQueryVariables = Exact<{
  id: string | number;
}>;


export type GraphRootQuery = { entity:
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
   | null };

export type GraphPathQueryVariables = Exact<{
  fromId: string | number;
  toId: string | number;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type GraphPathQuery = { path: { length: number, nodes: Array<
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
    >, edges: Array<{ id: string, edgeId: string, relationship: string, port: number | null, exclusive: boolean, metadata: unknown, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
      , target:
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
       }> } | null, end:
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
    | { id: string, kind: EntityKind, name: string, type: string | null }
   | null };

export type GraphVersionsQueryVariables = Exact<{
  entityIds: Array<string | number> | string | number;
  from: string;
  to?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type GraphVersionsQuery = { edgeVersions: { totalCount: number, nodes: Array<{ id: string, edgeId: string, relationship: string, port: number | null, exclusive: boolean, metadata: unknown, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null, source:
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
      , target:
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
        | { id: string, kind: EntityKind, name: string, type: string | null }
       }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type OverviewChangesQueryVariables = Exact<{
  from: string;
  to?: string | null | undefined;
}>;


export type OverviewChangesQuery = { changes: { totalCount: number, nodes: Array<{ id: string, recordedAt: string, actor: string, action: string, before: unknown, after: unknown, reason: string | null, subject:
        | { __typename: 'Activity', kind: EntityKind, name: string, id: string }
        | { __typename: 'ActivityStep', id: string }
        | { __typename: 'ActivityTemplate', id: string }
        | { __typename: 'ApiKey', id: string }
        | { __typename: 'Asset', kind: EntityKind, name: string, id: string }
        | { __typename: 'AssetProfile', id: string }
        | { __typename: 'Change', id: string }
        | { __typename: 'DeadLetter', id: string }
        | { __typename: 'Device', kind: EntityKind, name: string, id: string }
        | { __typename: 'DeviceToken', id: string }
        | { __typename: 'Edge', edgeId: string, relationship: string, port: number | null, id: string, source:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
          , target:
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
            | { id: string, kind: EntityKind, name: string }
           }
        | { __typename: 'EntityType', id: string }
        | { __typename: 'Event', id: string }
        | { __typename: 'Group', id: string }
        | { __typename: 'MaintenanceWindow', id: string }
        | { __typename: 'Notification', id: string }
        | { __typename: 'Person', kind: EntityKind, name: string, id: string }
        | { __typename: 'RawReading', id: string }
        | { __typename: 'Replay', id: string }
        | { __typename: 'Rollup', id: string }
        | { __typename: 'Rule', name: string, id: string }
        | { __typename: 'Shelf', id: string }
        | { __typename: 'Space', kind: EntityKind, name: string, id: string }
       | null }> } };

export type CreateFirstDeviceMutationVariables = Exact<{
  name: string;
}>;


export type CreateFirstDeviceMutation = { createDevice: { device: { id: string, name: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type IssueFirstTokenMutationVariables = Exact<{
  deviceId: string | number;
}>;


export type IssueFirstTokenMutation = { issueDeviceToken: { token: string | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type FirstReadingsSubscriptionVariables = Exact<{
  entityIds: Array<string | number> | string | number;
  since?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type FirstReadingsSubscription = { telemetry: { cursor: string, series: Array<{ metric: string, unit: string | null, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null }> } };

export type OverviewHealthQueryVariables = Exact<{ [key: string]: never; }>;


export type OverviewHealthQuery = { assets: { nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null, healthScore: number | null }> } };

export type CreateFirstAssetMutationVariables = Exact<{
  name: string;
}>;


export type CreateFirstAssetMutation = { createAsset: { asset: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type LinkFirstDeviceMutationVariables = Exact<{
  deviceId: string | number;
  assetId: string | number;
  validFrom?: string | null | undefined;
}>;


export type LinkFirstDeviceMutation = { linkDevice: { edge: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type OverviewStateQueryVariables = Exact<{ [key: string]: never; }>;


export type OverviewStateQuery = { viewer: { organizationName: string }, kinds: Array<{ values: Array<{ value: string | null, count: number }> }>, facets: Array<{ by: FacetBy, values: Array<{ value: string | null, count: number }> }>, activities: { totalCount: number, nodes: Array<{ id: string, kind: EntityKind, name: string, state: ActivityState, priority: string, dueAt: string | null }> } };

export type OverviewAccountQueryVariables = Exact<{
  from: string;
  to?: string | null | undefined;
}>;


export type OverviewAccountQuery = { ingestAccount: { received: number, stored: number, duplicate: number, dead: number, pending: number } };

export type EntityPageQueryVariables = Exact<{
  id: string | number;
  at: string;
  isSeen: boolean;
}>;


export type EntityPageQuery = { node:
    | { __typename: 'Activity', kind: EntityKind, name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, category: string, priority: string, dueAt: string | null, state: ActivityState, id: string, asRecorded?: { name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, recordedAt: string, actor: string, deletedAt: string | null } | null }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', kind: EntityKind, name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, id: string, asRecorded?: { name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, recordedAt: string, actor: string, deletedAt: string | null } | null }
    | { __typename: 'AssetProfile', id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', kind: EntityKind, name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, id: string, asRecorded?: { name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, recordedAt: string, actor: string, deletedAt: string | null } | null }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', id: string }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', kind: EntityKind, name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, email: string | null, id: string, asRecorded?: { name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, recordedAt: string, actor: string, deletedAt: string | null } | null }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', kind: EntityKind, name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, id: string, asRecorded?: { name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, recordedAt: string, actor: string, deletedAt: string | null } | null }
   | null };

export type RulePickerQueryVariables = Exact<{
  text: string;
}>;


export type RulePickerQuery = { rules: { nodes: Array<{ id: string, name: string, condition: unknown, severity: Severity }> } };

export type RulePageQueryVariables = Exact<{
  id: string | number;
  day: string;
  month: string;
  to?: string | null | undefined;
}>;


export type RulePageQuery = { node:
    | { __typename: 'Activity' }
    | { __typename: 'ActivityStep' }
    | { __typename: 'ActivityTemplate' }
    | { __typename: 'ApiKey' }
    | { __typename: 'Asset' }
    | { __typename: 'AssetProfile' }
    | { __typename: 'Change' }
    | { __typename: 'DeadLetter' }
    | { __typename: 'Device' }
    | { __typename: 'DeviceToken' }
    | { __typename: 'Edge' }
    | { __typename: 'EntityType' }
    | { __typename: 'Event' }
    | { __typename: 'Group' }
    | { __typename: 'MaintenanceWindow' }
    | { __typename: 'Notification' }
    | { __typename: 'Person' }
    | { __typename: 'RawReading' }
    | { __typename: 'Replay' }
    | { __typename: 'Rollup' }
    | { __typename: 'Rule', id: string, name: string, profileId: string | null, createdAt: string, updatedAt: string, deletedAt: string | null, entityCount: number | null, day: number | null, month: number | null, versions: Array<{ effectiveFrom: string, recordedAt: string, actor: string, condition: unknown, scope: unknown, severity: Severity, action: unknown, escalation: unknown, damping: unknown, isActive: boolean }> | null }
    | { __typename: 'Shelf' }
    | { __typename: 'Space' }
   | null, changes: { nodes: Array<{ recordedAt: string, reason: string | null }> } };

export type RuleFiredSubscriptionVariables = Exact<{
  filter: EventFilter;
}>;


export type RuleFiredSubscription = { events: { id: string } };

export type EditedRuleQueryVariables = Exact<{
  id: string | number;
}>;


export type EditedRuleQuery = { node:
    | { __typename: 'Activity' }
    | { __typename: 'ActivityStep' }
    | { __typename: 'ActivityTemplate' }
    | { __typename: 'ApiKey' }
    | { __typename: 'Asset' }
    | { __typename: 'AssetProfile' }
    | { __typename: 'Change' }
    | { __typename: 'DeadLetter' }
    | { __typename: 'Device' }
    | { __typename: 'DeviceToken' }
    | { __typename: 'Edge' }
    | { __typename: 'EntityType' }
    | { __typename: 'Event' }
    | { __typename: 'Group' }
    | { __typename: 'MaintenanceWindow' }
    | { __typename: 'Notification' }
    | { __typename: 'Person' }
    | { __typename: 'RawReading' }
    | { __typename: 'Replay' }
    | { __typename: 'Rollup' }
    | { __typename: 'Rule', id: string, name: string, profileId: string | null, deletedAt: string | null, versions: Array<{ effectiveFrom: string, recordedAt: string, condition: unknown, scope: unknown, severity: Severity, action: unknown, escalation: unknown, damping: unknown, isActive: boolean }> | null }
    | { __typename: 'Shelf' }
    | { __typename: 'Space' }
   | null };

export type RuleTemplatesQueryVariables = Exact<{ [key: string]: never; }>;


export type RuleTemplatesQuery = { activityTemplates: { nodes: Array<{ id: string, name: string, deletedAt: string | null }> } };

export type RuleScopeTypesQueryVariables = Exact<{
  kind: EntityKind;
}>;


export type RuleScopeTypesQuery = { facets: Array<{ values: Array<{ value: string | null, count: number }> }> };

export type RuleScopeChoicesQueryVariables = Exact<{ [key: string]: never; }>;


export type RuleScopeChoicesQuery = { groups: { totalCount: number, nodes: Array<{ id: string, name: string, kind: GroupKind }> }, assetProfiles: { totalCount: number, nodes: Array<{ id: string, name: string }> } };

export type TestRuleMutationVariables = Exact<{
  input: RuleInput;
  from: string;
  to: string;
}>;


export type TestRuleMutation = { testRule: { test: { entities: number, points: number, truncated: boolean, events: Array<{ entityId: string, beganAt: string, openedAt: string, clearedAt: string | null, value: number | null, flaps: number }> } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type RuleScopeEntitiesQueryVariables = Exact<{
  filter: EntityFilter;
}>;


export type RuleScopeEntitiesQuery = { entities: { totalCount: number, nodes: Array<
      | { id: string }
      | { id: string, latest: Array<{ metric: string, unit: string | null, value: number | null }> | null }
      | { id: string, latest: Array<{ metric: string, unit: string | null, value: number | null }> | null }
      | { id: string }
      | { id: string, latest: Array<{ metric: string, unit: string | null, value: number | null }> | null }
    > } };

export type RuleListQueryVariables = Exact<{
  filter: RuleFilter;
  day: string;
  month: string;
  to?: string | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type RuleListQuery = { rules: { totalCount: number, nodes: Array<{ id: string, name: string, severity: Severity, isActive: boolean, deletedAt: string | null, entityCount: number | null, condition: unknown, scope: unknown, action: unknown, day: number | null, month: number | null, inForce: { condition: unknown, scope: unknown, severity: Severity, action: unknown, isActive: boolean } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type RuleFacetsQueryVariables = Exact<{
  critical: RuleFilter;
  high: RuleFilter;
  medium: RuleFilter;
  low: RuleFilter;
  active: RuleFilter;
  inactive: RuleFilter;
}>;


export type RuleFacetsQuery = { critical: { totalCount: number }, high: { totalCount: number }, medium: { totalCount: number }, low: { totalCount: number }, active: { totalCount: number }, inactive: { totalCount: number } };

export type RulesFiredSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type RulesFiredSubscription = { events: { id: string } };

export type CreateRuleMutationVariables = Exact<{
  input: RuleInput;
  reason?: string | null | undefined;
}>;


export type CreateRuleMutation = { createRule: { rule: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type UpdateRuleMutationVariables = Exact<{
  id: string | number;
  input: RuleInput;
  reason?: string | null | undefined;
}>;


export type UpdateRuleMutation = { updateRule: { rule: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type DeleteRuleMutationVariables = Exact<{
  id: string | number;
  reason?: string | null | undefined;
}>;


export type DeleteRuleMutation = { deleteRule: { rule: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type ShelveRuleMutationVariables = Exact<{
  to: string;
  from?: string | null | undefined;
  ruleId?: string | number | null | undefined;
  entityId?: string | number | null | undefined;
  note?: string | null | undefined;
}>;


export type ShelveRuleMutation = { shelveEvents: { shelf: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type CreateMaintenanceWindowMutationVariables = Exact<{
  to: string;
  from?: string | null | undefined;
  underId?: string | number | null | undefined;
  note?: string | null | undefined;
}>;


export type CreateMaintenanceWindowMutation = { createMaintenanceWindow: { maintenanceWindow: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type ShelvingQueryVariables = Exact<{
  first: number;
}>;


export type ShelvingQuery = { shelves: { totalCount: number, nodes: Array<{ id: string, from: string, to: string, note: string | null, actor: string, createdAt: string, rule: { id: string, name: string } | null, entity:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       | null }> } | null, maintenanceWindows: { totalCount: number, nodes: Array<{ id: string, from: string, to: string, note: string | null, actor: string, createdAt: string, under:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       | null }> } | null };

export type EndShelfMutationVariables = Exact<{
  id: string | number;
}>;


export type EndShelfMutation = { unshelveEvents: { shelf: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type EndMaintenanceWindowMutationVariables = Exact<{
  id: string | number;
}>;


export type EndMaintenanceWindowMutation = { endMaintenanceWindow: { maintenanceWindow: { id: string } | null, errors: Array<{ code: string, message: string, path: Array<string> }> } };

export type RuleNamesQueryVariables = Exact<{
  ids: Array<string | number> | string | number;
}>;


export type RuleNamesQuery = { nodes: Array<
    | { __typename: 'Activity', kind: EntityKind, name: string, id: string }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', name: string, id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', kind: EntityKind, name: string, id: string }
    | { __typename: 'AssetProfile', name: string, id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', kind: EntityKind, name: string, id: string }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', id: string }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', name: string, id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', kind: EntityKind, name: string, id: string }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', kind: EntityKind, name: string, id: string }
   | null> };

export type RulesInForceQueryVariables = Exact<{
  id: string | number;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type RulesInForceQuery = { rulesInForce: Array<{ condition: unknown, severity: Severity, rule: { id: string, name: string } }> | null };

export type OpenAlarmCountsQueryVariables = Exact<{
  states?: Array<EventState> | EventState | null | undefined;
  openAt?: string | null | undefined;
}>;


export type OpenAlarmCountsQuery = { CRITICAL: { totalCount: number }, HIGH: { totalCount: number }, MEDIUM: { totalCount: number }, LOW: { totalCount: number } };

export type AlarmsChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type AlarmsChangedSubscription = { events: { id: string } };

export type PaletteSearchQueryVariables = Exact<{
  text: string;
}>;


export type PaletteSearchQuery = { search: Array<{ path: Array<string>, entity:
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null }
     }> };

export type TimeBarVersionsQueryVariables = Exact<{
  entityIds?: Array<string | number> | string | number | null | undefined;
  underId?: string | number | null | undefined;
  from: string;
  to: string;
}>;


export type TimeBarVersionsQuery = { edgeVersions: { nodes: Array<{ id: string, edgeId: string, validFrom: string, validUntil: string | null, recordedAt: string, retractedAt: string | null }>, pageInfo: { hasNextPage: boolean } } };

export type TimeBarAlarmsQueryVariables = Exact<{
  filter: EventFilter;
}>;


export type TimeBarAlarmsQuery = { events: { nodes: Array<{ id: string, severity: Severity, openedAt: string }>, pageInfo: { hasNextPage: boolean } } };

export type SpaceOverviewQueryVariables = Exact<{
  id: string | number;
  below: EntityFilter;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type SpaceOverviewQuery = { node:
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, parents: Array<{ id: string, kind: EntityKind, name: string }> | null, children: { totalCount: number, nodes: Array<{ id: string, kind: EntityKind, name: string, type: string | null }> } | null, occupants: { totalCount: number, nodes: Array<
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
          | { id: string, kind: EntityKind, name: string, type: string | null }
        > } | null }
   | null, assets: { totalCount: number }, devices: { totalCount: number }, spaces: { totalCount: number } };

export type SpacePageQueryVariables = Exact<{
  id: string | number;
  at: string;
  isSeen: boolean;
  steps: Array<TraverseStep> | TraverseStep;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type SpacePageQuery = { node:
    | { __typename: 'Activity', kind: EntityKind, id: string }
    | { __typename: 'ActivityStep', id: string }
    | { __typename: 'ActivityTemplate', id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Asset', kind: EntityKind, id: string }
    | { __typename: 'AssetProfile', id: string }
    | { __typename: 'Change', id: string }
    | { __typename: 'DeadLetter', id: string }
    | { __typename: 'Device', kind: EntityKind, id: string }
    | { __typename: 'DeviceToken', id: string }
    | { __typename: 'Edge', id: string }
    | { __typename: 'EntityType', id: string }
    | { __typename: 'Event', id: string }
    | { __typename: 'Group', id: string }
    | { __typename: 'MaintenanceWindow', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Person', kind: EntityKind, id: string }
    | { __typename: 'RawReading', id: string }
    | { __typename: 'Replay', id: string }
    | { __typename: 'Rollup', id: string }
    | { __typename: 'Rule', id: string }
    | { __typename: 'Shelf', id: string }
    | { __typename: 'Space', kind: EntityKind, name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, location: { type: string; coordinates: unknown } | null, id: string, asRecorded?: { name: string, type: string | null, status: string, externalId: string | null, attributes: unknown, location: { type: string; coordinates: unknown } | null, recordedAt: string, actor: string, deletedAt: string | null } | null }
   | null, traverse: { edges: Array<{ relationship: string, source:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
      , target:
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
        | { id: string, kind: EntityKind, name: string }
       }> } };

export type LatestValuesQueryVariables = Exact<{
  id: string | number;
}>;


export type LatestValuesQuery = { node:
    | { id: string, latest: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, value: number | null, text: string | null, timestamp: string }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, latest: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, value: number | null, text: string | null, timestamp: string }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, latest: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, value: number | null, text: string | null, timestamp: string }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, latest: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, value: number | null, text: string | null, timestamp: string }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, latest: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, value: number | null, text: string | null, timestamp: string }> | null }
   | null };

export type LastValuesBeforeQueryVariables = Exact<{
  id: string | number;
  from: string;
  to: string;
}>;


export type LastValuesBeforeQuery = { node:
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null }> | null }
   | null };

export type NewerValuesSubscriptionVariables = Exact<{
  id: string | number;
  after?: string | null | undefined;
}>;


export type NewerValuesSubscription = { telemetry: { cursor: string, series: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null }>, invalidated: Array<{ metric: string | null }> } };

export type EntitySeriesQueryVariables = Exact<{
  id: string | number;
  metrics?: Array<string> | string | null | undefined;
  from: string;
  to?: string | null | undefined;
  bucket?: string | null | undefined;
  timezone: string;
}>;


export type EntitySeriesQuery = { node:
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null, truncated: boolean, incomplete: boolean }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null, truncated: boolean, incomplete: boolean }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null, truncated: boolean, incomplete: boolean }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null, truncated: boolean, incomplete: boolean }> | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, telemetry: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null, truncated: boolean, incomplete: boolean }> | null }
   | null };

export type EntityPointsSubscriptionVariables = Exact<{
  id: string | number;
  metrics?: Array<string> | string | null | undefined;
  since?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type EntityPointsSubscription = { telemetry: { dropped: number, pointsLeftOut: number, cursor: string, series: Array<{ metric: string, port: number | null, unit: string | null, type: MetricType, timestamps: Array<number>, values: Array<number | null>, texts: Array<string | null> | null }>, invalidated: Array<{ metric: string | null, from: string, to: string | null }>, gaps: Array<{ metric: string | null, from: string, to: string | null }> } };

export type PickerSearchQueryVariables = Exact<{
  text: string;
  kinds?: Array<EntityKind> | EntityKind | null | undefined;
  first: number;
}>;


export type PickerSearchQuery = { search: Array<{ path: Array<string>, entity:
      | { id: string, kind: EntityKind, name: string, type: string | null, externalId: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null, externalId: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null, externalId: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null, externalId: string | null }
      | { id: string, kind: EntityKind, name: string, type: string | null, externalId: string | null }
     }> };

export type TargetingWorkQueryVariables = Exact<{
  id: string | number;
  first: number;
  after?: string | null | undefined;
  asOf?: string | null | undefined;
  knownAt?: string | null | undefined;
}>;


export type TargetingWorkQuery = { node:
    | { id: string, related: { totalCount: number, nodes: Array<
          | { category: string, priority: string, state: ActivityState, dueAt: string | null, id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, related: { totalCount: number, nodes: Array<
          | { category: string, priority: string, state: ActivityState, dueAt: string | null, id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, related: { totalCount: number, nodes: Array<
          | { category: string, priority: string, state: ActivityState, dueAt: string | null, id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, related: { totalCount: number, nodes: Array<
          | { category: string, priority: string, state: ActivityState, dueAt: string | null, id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string }
    | { id: string, related: { totalCount: number, nodes: Array<
          | { category: string, priority: string, state: ActivityState, dueAt: string | null, id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
          | { id: string, kind: EntityKind, name: string }
        >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null }
   | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const EpisodePointsFragmentDoc = new TypedDocumentString(`
    fragment EpisodePoints on TelemetrySeries {
  port
  unit
  type
  timestamps
  values
}
    `, {"fragmentName":"EpisodePoints"}) as unknown as TypedDocumentString<EpisodePointsFragment, unknown>;
export const AlarmRowFragmentDoc = new TypedDocumentString(`
    fragment AlarmRow on Event {
  id
  state
  severity
  beganAt
  openedAt
  clearedAt
  detectedAt
  withdrawnAt
  acknowledgedAt
  dismissedAt
  value
  flaps
  suppressed
  rule {
    id
    name
  }
  entity {
    id
    kind
    name
    type
  }
}
    `, {"fragmentName":"AlarmRow"}) as unknown as TypedDocumentString<AlarmRowFragment, unknown>;
export const StayRowsFragmentDoc = new TypedDocumentString(`
    fragment StayRows on StayConnection {
  totalCount
  nodes {
    metric
    entered
    left
    lost
    entity {
      id
      kind
      name
    }
    space {
      id
      kind
      name
    }
  }
}
    `, {"fragmentName":"StayRows"}) as unknown as TypedDocumentString<StayRowsFragment, unknown>;
export const TreeLevelFragmentDoc = new TypedDocumentString(`
    fragment TreeLevel on EntityConnection {
  nodes {
    id
    kind
    name
    type
  }
  pageInfo {
    hasNextPage
    endCursor
  }
}
    `, {"fragmentName":"TreeLevel"}) as unknown as TypedDocumentString<TreeLevelFragment, unknown>;
export const ChangeOfRangeFragmentDoc = new TypedDocumentString(`
    fragment ChangeOfRange on Change {
  id
  recordedAt
  actor
  action
  before
  after
  reason
  subject {
    __typename
    id
    ... on Entity {
      kind
      name
    }
    ... on Rule {
      name
    }
    ... on Edge {
      edgeId
      relationship
      port
      source {
        id
        kind
        name
      }
      target {
        id
        kind
        name
      }
    }
  }
}
    `, {"fragmentName":"ChangeOfRange"}) as unknown as TypedDocumentString<ChangeOfRangeFragment, unknown>;
export const EventOfRangeFragmentDoc = new TypedDocumentString(`
    fragment EventOfRange on Event {
  id
  state
  severity
  openedAt
  detectedAt
  clearedAt
  withdrawnAt
  rule {
    id
    name
  }
  entity {
    id
    kind
    name
  }
  corrections {
    recordedAt
    before
    after
  }
}
    `, {"fragmentName":"EventOfRange"}) as unknown as TypedDocumentString<EventOfRangeFragment, unknown>;
export const AlarmSeriesDocument = new TypedDocumentString(`
    query AlarmSeries($id: ID!, $metrics: [String!], $from: DateTime!, $to: DateTime!) {
  entity(id: $id) {
    id
    telemetry(metrics: $metrics, from: $from, to: $to, maxPoints: 800) {
      metric
      port
      unit
      type
      timestamps
      values
      truncated
      incomplete
    }
  }
}
    `) as unknown as TypedDocumentString<AlarmSeriesQuery, AlarmSeriesQueryVariables>;
export const AlarmDetailChangedDocument = new TypedDocumentString(`
    subscription AlarmDetailChanged($filter: EventFilter!) {
  events(filter: $filter) {
    id
  }
}
    `) as unknown as TypedDocumentString<AlarmDetailChangedSubscription, AlarmDetailChangedSubscriptionVariables>;
export const AlarmFiltersDocument = new TypedDocumentString(`
    query AlarmFilters($under: ID!, $hasUnder: Boolean!, $rule: ID!, $hasRule: Boolean!) {
  rules(first: 0) {
    totalCount
  }
  active: rules(filter: { isActive: true }, first: 0) {
    totalCount
  }
  rule: node(id: $rule) @include(if: $hasRule) {
    __typename
    ... on Rule {
      id
      name
    }
  }
  shelves(first: 200) {
    nodes {
      id
      from
      to
      note
      actor
      rule {
        id
        name
      }
      entity {
        id
        kind
        name
      }
    }
  }
  entity(id: $under) @include(if: $hasUnder) {
    id
    kind
    name
    type
  }
}
    `) as unknown as TypedDocumentString<AlarmFiltersQuery, AlarmFiltersQueryVariables>;
export const AlarmsNamedDocument = new TypedDocumentString(`
    query AlarmsNamed($text: String!) {
  search(text: $text, kinds: [DEVICE, ASSET, SPACE], first: 500) {
    entity {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<AlarmsNamedQuery, AlarmsNamedQueryVariables>;
export const CorrectionCausesDocument = new TypedDocumentString(`
    query CorrectionCauses($from: DateTime!, $to: DateTime!, $after: String) {
  changes(filter: { from: $from, to: $to }, first: 200, after: $after) {
    nodes {
      id
      recordedAt
      actor
      action
      before
      after
      reason
      subject {
        __typename
        id
        ... on Edge {
          edgeId
          relationship
          source {
            id
            name
          }
          target {
            id
            name
          }
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<CorrectionCausesQuery, CorrectionCausesQueryVariables>;
export const CorrectionNearDocument = new TypedDocumentString(`
    query CorrectionNear($entityId: ID!) {
  entity(id: $entityId) {
    id
    related(
      relationships: ["MONITORED_BY", "HAS_PART", "CONTAINS"]
      depth: 4
      first: 200
    ) {
      nodes {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CorrectionNearQuery, CorrectionNearQueryVariables>;
export const AlarmEpisodesDocument = new TypedDocumentString(`
    query AlarmEpisodes($filter: EventFilter!) {
  events(filter: $filter, first: 50) {
    nodes {
      id
      port
      state
      suppressed
      beganAt
      openedAt
      clearedAt
    }
    pageInfo {
      hasNextPage
    }
  }
}
    `) as unknown as TypedDocumentString<AlarmEpisodesQuery, AlarmEpisodesQueryVariables>;
export const EpisodeSeriesDocument = new TypedDocumentString(`
    query EpisodeSeries($id: ID!, $metrics: [String!], $from0: DateTime!, $to0: DateTime!, $from1: DateTime!, $to1: DateTime!, $from2: DateTime!, $to2: DateTime!, $from3: DateTime!, $to3: DateTime!, $from4: DateTime!, $to4: DateTime!, $has1: Boolean!, $has2: Boolean!, $has3: Boolean!, $has4: Boolean!) {
  entity(id: $id) {
    id
    e0: telemetry(metrics: $metrics, from: $from0, to: $to0, maxPoints: 400) {
      ...EpisodePoints
    }
    e1: telemetry(metrics: $metrics, from: $from1, to: $to1, maxPoints: 400) @include(if: $has1) {
      ...EpisodePoints
    }
    e2: telemetry(metrics: $metrics, from: $from2, to: $to2, maxPoints: 400) @include(if: $has2) {
      ...EpisodePoints
    }
    e3: telemetry(metrics: $metrics, from: $from3, to: $to3, maxPoints: 400) @include(if: $has3) {
      ...EpisodePoints
    }
    e4: telemetry(metrics: $metrics, from: $from4, to: $to4, maxPoints: 400) @include(if: $has4) {
      ...EpisodePoints
    }
  }
}
    fragment EpisodePoints on TelemetrySeries {
  port
  unit
  type
  timestamps
  values
}`) as unknown as TypedDocumentString<EpisodeSeriesQuery, EpisodeSeriesQueryVariables>;
export const OpenAlarmRowsDocument = new TypedDocumentString(`
    query OpenAlarmRows($filter: EventFilter!) {
  events(filter: $filter, first: 5) {
    totalCount
    nodes {
      id
      severity
      openedAt
      rule {
        id
        name
      }
      entity {
        id
        kind
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OpenAlarmRowsQuery, OpenAlarmRowsQueryVariables>;
export const OpenAlarmRowsChangedDocument = new TypedDocumentString(`
    subscription OpenAlarmRowsChanged($id: ID!) {
  events(filter: { underId: $id }) {
    id
  }
}
    `) as unknown as TypedDocumentString<OpenAlarmRowsChangedSubscription, OpenAlarmRowsChangedSubscriptionVariables>;
export const AlarmDetailDocument = new TypedDocumentString(`
    query AlarmDetail($id: ID!) {
  node(id: $id) {
    __typename
    ... on Event {
      ...AlarmRow
      clearedReason
      port
      marks {
        kind
        at
        actor
        note
      }
      corrections {
        recordedAt
        before
        after
      }
      activities {
        id
        kind
        name
        state
        dueAt
      }
      rule {
        condition
        severity
        isActive
        deletedAt
      }
    }
  }
}
    fragment AlarmRow on Event {
  id
  state
  severity
  beganAt
  openedAt
  clearedAt
  detectedAt
  withdrawnAt
  acknowledgedAt
  dismissedAt
  value
  flaps
  suppressed
  rule {
    id
    name
  }
  entity {
    id
    kind
    name
    type
  }
}`) as unknown as TypedDocumentString<AlarmDetailQuery, AlarmDetailQueryVariables>;
export const CommentAlarmDocument = new TypedDocumentString(`
    mutation CommentAlarm($id: ID!, $note: String!) {
  commentEvent(id: $id, note: $note) {
    event {
      id
      state
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CommentAlarmMutation, CommentAlarmMutationVariables>;
export const AcknowledgeAlarmsDocument = new TypedDocumentString(`
    mutation AcknowledgeAlarms($filter: EventFilter!, $note: String, $dryRun: Boolean!) {
  acknowledgeEvents(filter: $filter, note: $note, dryRun: $dryRun) {
    matched
    changed
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<AcknowledgeAlarmsMutation, AcknowledgeAlarmsMutationVariables>;
export const DismissAlarmsDocument = new TypedDocumentString(`
    mutation DismissAlarms($filter: EventFilter!, $note: String, $dryRun: Boolean!) {
  dismissEvents(filter: $filter, note: $note, dryRun: $dryRun) {
    matched
    changed
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<DismissAlarmsMutation, DismissAlarmsMutationVariables>;
export const ShelveAlarmsDocument = new TypedDocumentString(`
    mutation ShelveAlarms($to: DateTime!, $ruleId: ID, $entityId: ID, $note: String) {
  shelveEvents(to: $to, ruleId: $ruleId, entityId: $entityId, note: $note) {
    shelf {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<ShelveAlarmsMutation, ShelveAlarmsMutationVariables>;
export const UnshelveAlarmsDocument = new TypedDocumentString(`
    mutation UnshelveAlarms($id: ID!) {
  unshelveEvents(id: $id) {
    shelf {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UnshelveAlarmsMutation, UnshelveAlarmsMutationVariables>;
export const CreateWorkDocument = new TypedDocumentString(`
    mutation CreateWork($input: CreateActivityInput!) {
  createActivity(input: $input) {
    activity {
      id
      name
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateWorkMutation, CreateWorkMutationVariables>;
export const TargetWorkDocument = new TypedDocumentString(`
    mutation TargetWork($activityId: ID!, $targetId: ID!) {
  createEdge(
    input: { sourceId: $activityId, targetId: $targetId, relationship: "TARGETS" }
  ) {
    edge {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<TargetWorkMutation, TargetWorkMutationVariables>;
export const CreateWorkFromTemplateDocument = new TypedDocumentString(`
    mutation CreateWorkFromTemplate($templateId: ID!, $targetIds: [ID!]!) {
  createActivityFromTemplate(templateId: $templateId, targetIds: $targetIds) {
    activity {
      id
      name
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateWorkFromTemplateMutation, CreateWorkFromTemplateMutationVariables>;
export const WorkTemplatesDocument = new TypedDocumentString(`
    query WorkTemplates {
  activityTemplates(first: 100) {
    nodes {
      id
      name
      description
      deletedAt
    }
  }
}
    `) as unknown as TypedDocumentString<WorkTemplatesQuery, WorkTemplatesQueryVariables>;
export const AlarmsDocument = new TypedDocumentString(`
    query Alarms($filter: EventFilter!, $first: Int!, $after: String, $past: Boolean!) {
  events(filter: $filter, first: $first, after: $after) {
    totalCount
    nodes {
      ...AlarmRow
      corrections @include(if: $past) {
        recordedAt
        before
        after
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment AlarmRow on Event {
  id
  state
  severity
  beganAt
  openedAt
  clearedAt
  detectedAt
  withdrawnAt
  acknowledgedAt
  dismissedAt
  value
  flaps
  suppressed
  rule {
    id
    name
  }
  entity {
    id
    kind
    name
    type
  }
}`) as unknown as TypedDocumentString<AlarmsQuery, AlarmsQueryVariables>;
export const AlarmPlacesDocument = new TypedDocumentString(`
    query AlarmPlaces($ids: [ID!]!, $asOf: DateTime, $knownAt: DateTime) {
  nodes(ids: $ids) {
    __typename
    id
    ... on Device {
      related(
        relationships: ["LOCATED_IN"]
        kinds: [SPACE]
        first: 1
        asOf: $asOf
        knownAt: $knownAt
      ) {
        nodes {
          id
          name
        }
      }
    }
    ... on Asset {
      related(
        relationships: ["LOCATED_IN"]
        kinds: [SPACE]
        first: 1
        asOf: $asOf
        knownAt: $knownAt
      ) {
        nodes {
          id
          name
        }
      }
      whole: related(
        relationships: ["HAS_PART"]
        direction: IN
        depth: 4
        first: 1
        asOf: $asOf
        knownAt: $knownAt
      ) {
        nodes {
          related(
            relationships: ["LOCATED_IN"]
            kinds: [SPACE]
            first: 1
            asOf: $asOf
            knownAt: $knownAt
          ) {
            nodes {
              id
              name
            }
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AlarmPlacesQuery, AlarmPlacesQueryVariables>;
export const AlarmUpdatesDocument = new TypedDocumentString(`
    subscription AlarmUpdates($filter: EventFilter!) {
  events(filter: $filter) {
    ...AlarmRow
  }
}
    fragment AlarmRow on Event {
  id
  state
  severity
  beganAt
  openedAt
  clearedAt
  detectedAt
  withdrawnAt
  acknowledgedAt
  dismissedAt
  value
  flaps
  suppressed
  rule {
    id
    name
  }
  entity {
    id
    kind
    name
    type
  }
}`) as unknown as TypedDocumentString<AlarmUpdatesSubscription, AlarmUpdatesSubscriptionVariables>;
export const AssetOverviewDocument = new TypedDocumentString(`
    query AssetOverview($id: ID!, $at: DateTime, $asOf: DateTime, $knownAt: DateTime) {
  healthExplanation(assetId: $id, at: $at) {
    from
    to
    score
    parts {
      part
      subject
      cost
      weight
      detail
    }
  }
  node(id: $id) {
    id
    ... on Asset {
      children(first: 20, asOf: $asOf, knownAt: $knownAt) {
        totalCount
        nodes {
          id
          kind
          name
          type
          healthScore
        }
      }
      located: related(
        relationships: ["LOCATED_IN"]
        direction: IN
        kinds: [ASSET, DEVICE]
        first: 20
        asOf: $asOf
        knownAt: $knownAt
      ) {
        totalCount
        nodes {
          id
          kind
          name
          type
        }
      }
      devices(first: 10, asOf: $asOf, knownAt: $knownAt) {
        totalCount
        nodes {
          id
          kind
          name
          type
        }
      }
      work: related(
        relationships: ["TARGETS"]
        direction: IN
        kinds: [ACTIVITY]
        first: 50
        asOf: $asOf
        knownAt: $knownAt
      ) {
        nodes {
          id
          kind
          name
          ... on Activity {
            state
            dueAt
          }
        }
      }
      derivationFaults {
        metric
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AssetOverviewQuery, AssetOverviewQueryVariables>;
export const AssetPageDocument = new TypedDocumentString(`
    query AssetPage($id: ID!, $at: DateTime!, $isSeen: Boolean!, $steps: [TraverseStep!]!, $asOf: DateTime, $knownAt: DateTime) {
  node(id: $id) {
    __typename
    id
    ... on Entity {
      kind
    }
    ... on Asset {
      name
      type
      status
      externalId
      attributes
      createdAt
      updatedAt
      deletedAt
      location
      healthScore
      profile {
        name
      }
      asRecorded(at: $at) @include(if: $isSeen) {
        name
        type
        status
        externalId
        attributes
        location
        recordedAt
        actor
        deletedAt
      }
    }
  }
  traverse(
    input: { startIds: [$id], steps: $steps, asOf: $asOf, knownAt: $knownAt }
  ) {
    edges {
      relationship
      source {
        id
        kind
        name
      }
      target {
        id
        kind
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AssetPageQuery, AssetPageQueryVariables>;
export const LinkedDeviceStatesDocument = new TypedDocumentString(`
    query LinkedDeviceStates($ids: [ID!]!) {
  nodes(ids: $ids) {
    id
    ... on Device {
      connectivity
      lastSeenAt
    }
  }
}
    `) as unknown as TypedDocumentString<LinkedDeviceStatesQuery, LinkedDeviceStatesQueryVariables>;
export const HubPlacesDocument = new TypedDocumentString(`
    query HubPlaces($id: ID!, $wayIds: [ID!]!, $asOf: DateTime, $knownAt: DateTime, $from: DateTime, $to: DateTime) {
  way: nodes(ids: $wayIds) {
    id
    ... on Entity {
      kind
      name
      location
    }
  }
  node(id: $id) {
    id
    ... on Asset {
      inside: related(
        relationships: ["HAS_PART"]
        asOf: $asOf
        knownAt: $knownAt
        first: 200
      ) {
        nodes {
          id
          kind
          name
          location
        }
      }
      stays(from: $from, to: $to, last: 100) {
        ...StayRows
      }
    }
    ... on Space {
      inside: related(
        relationships: ["CONTAINS"]
        depth: 3
        asOf: $asOf
        knownAt: $knownAt
        first: 200
      ) {
        nodes {
          id
          kind
          name
          location
        }
      }
      occupants(asOf: $asOf, knownAt: $knownAt, first: 200) {
        nodes {
          id
          kind
          name
          location
        }
      }
      stays(from: $from, to: $to, last: 100) {
        ...StayRows
      }
    }
  }
}
    fragment StayRows on StayConnection {
  totalCount
  nodes {
    metric
    entered
    left
    lost
    entity {
      id
      kind
      name
    }
    space {
      id
      kind
      name
    }
  }
}`) as unknown as TypedDocumentString<HubPlacesQuery, HubPlacesQueryVariables>;
export const SupplierVersionsDocument = new TypedDocumentString(`
    query SupplierVersions($ids: [ID!]!, $from: DateTime!, $to: DateTime!) {
  edgeVersions(
    entityIds: $ids
    relationships: ["MONITORED_BY", "CONTROLLED_BY"]
    from: $from
    to: $to
    first: 500
  ) {
    nodes {
      id
      edgeId
      port
      metadata
      validFrom
      validUntil
      recordedAt
      retractedAt
      target {
        id
        kind
        name
      }
    }
    pageInfo {
      hasNextPage
    }
  }
}
    `) as unknown as TypedDocumentString<SupplierVersionsQuery, SupplierVersionsQueryVariables>;
export const AssetListDocument = new TypedDocumentString(`
    query AssetList($filter: EntityFilter, $orderBy: EntityOrder, $asOf: DateTime, $knownAt: DateTime, $after: String) {
  assets(
    filter: $filter
    orderBy: $orderBy
    asOf: $asOf
    knownAt: $knownAt
    first: 200
    after: $after
  ) {
    nodes {
      id
      kind
      name
      type
      status
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
  newest: assets(orderBy: CREATED_DESC, first: 1) {
    nodes {
      createdAt
    }
  }
}
    `) as unknown as TypedDocumentString<AssetListQuery, AssetListQueryVariables>;
export const SpaceListDocument = new TypedDocumentString(`
    query SpaceList($filter: EntityFilter, $orderBy: EntityOrder, $asOf: DateTime, $knownAt: DateTime, $after: String) {
  spaces(
    filter: $filter
    orderBy: $orderBy
    asOf: $asOf
    knownAt: $knownAt
    first: 200
    after: $after
  ) {
    nodes {
      id
      kind
      name
      type
      status
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
  newest: spaces(orderBy: CREATED_DESC, first: 1) {
    nodes {
      createdAt
    }
  }
}
    `) as unknown as TypedDocumentString<SpaceListQuery, SpaceListQueryVariables>;
export const HubFacetsDocument = new TypedDocumentString(`
    query HubFacets($filter: EntityFilter, $forType: EntityFilter, $forStatus: EntityFilter, $forAlarms: EntityFilter, $asOf: DateTime, $knownAt: DateTime, $under: ID!, $isUnder: Boolean!) {
  entities(filter: $filter, asOf: $asOf, knownAt: $knownAt, first: 0) {
    totalCount
  }
  type: facets(filter: $forType, by: [TYPE], first: 100) {
    values {
      value
      label
      count
    }
  }
  status: facets(filter: $forStatus, by: [STATUS], first: 50) {
    values {
      value
      label
      count
    }
  }
  alarms: facets(filter: $forAlarms, by: [OPEN_SEVERITY]) {
    values {
      value
      count
    }
  }
  under: node(id: $under) @include(if: $isUnder) {
    id
    ... on Entity {
      kind
      name
      type
    }
  }
}
    `) as unknown as TypedDocumentString<HubFacetsQuery, HubFacetsQueryVariables>;
export const VisibleHubRowsDocument = new TypedDocumentString(`
    query VisibleHubRows($ids: [ID!]!, $states: [EventState!], $openAt: DateTime, $asOf: DateTime, $knownAt: DateTime) {
  nodes(ids: $ids) {
    id
    ... on Asset {
      healthScore
      parents(asOf: $asOf, knownAt: $knownAt) {
        id
        kind
        name
      }
      places: related(
        relationships: ["LOCATED_IN"]
        asOf: $asOf
        knownAt: $knownAt
        first: 1
      ) {
        nodes {
          id
          kind
          name
        }
      }
      devices(asOf: $asOf, knownAt: $knownAt, first: 0) {
        totalCount
      }
    }
    ... on Space {
      parents(asOf: $asOf, knownAt: $knownAt) {
        id
        kind
        name
      }
      occupants(asOf: $asOf, knownAt: $knownAt, first: 0) {
        totalCount
      }
      children(asOf: $asOf, knownAt: $knownAt, first: 0) {
        totalCount
      }
    }
  }
  events(
    filter: { entityIds: $ids, states: $states, openAt: $openAt }
    first: 500
  ) {
    nodes {
      id
      severity
      entity {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<VisibleHubRowsQuery, VisibleHubRowsQueryVariables>;
export const TreeBranchesDocument = new TypedDocumentString(`
    query TreeBranches($ids: [ID!]!, $asOf: DateTime, $knownAt: DateTime, $hasParts: Boolean!, $hasLocated: Boolean!, $hasDevices: Boolean!, $afterParts: String, $afterLocated: String, $afterDevices: String) {
  nodes(ids: $ids) {
    id
    ... on Entity {
      parts: related(
        relationships: ["CONTAINS", "HAS_PART"]
        asOf: $asOf
        knownAt: $knownAt
        first: 50
        after: $afterParts
      ) @include(if: $hasParts) {
        ...TreeLevel
      }
      located: related(
        relationships: ["LOCATED_IN"]
        direction: IN
        kinds: [ASSET, DEVICE]
        asOf: $asOf
        knownAt: $knownAt
        first: 50
        after: $afterLocated
      ) @include(if: $hasLocated) {
        ...TreeLevel
      }
      devices: related(
        relationships: ["MONITORED_BY", "CONTROLLED_BY"]
        asOf: $asOf
        knownAt: $knownAt
        first: 50
        after: $afterDevices
      ) @include(if: $hasDevices) {
        ...TreeLevel
      }
    }
  }
}
    fragment TreeLevel on EntityConnection {
  nodes {
    id
    kind
    name
    type
  }
  pageInfo {
    hasNextPage
    endCursor
  }
}`) as unknown as TypedDocumentString<TreeBranchesQuery, TreeBranchesQueryVariables>;
export const TreeRowsDocument = new TypedDocumentString(`
    query TreeRows($ids: [ID!]!, $asOf: DateTime, $knownAt: DateTime) {
  nodes(ids: $ids) {
    __typename
    id
    ... on Asset {
      healthScore
      children(asOf: $asOf, knownAt: $knownAt, first: 0) {
        totalCount
      }
      located: related(
        relationships: ["LOCATED_IN"]
        direction: IN
        kinds: [ASSET, DEVICE]
        asOf: $asOf
        knownAt: $knownAt
        first: 0
      ) {
        totalCount
      }
      devices(asOf: $asOf, knownAt: $knownAt, first: 0) {
        totalCount
      }
    }
    ... on Space {
      children(asOf: $asOf, knownAt: $knownAt, first: 0) {
        totalCount
      }
      located: related(
        relationships: ["LOCATED_IN"]
        direction: IN
        kinds: [ASSET, DEVICE]
        asOf: $asOf
        knownAt: $knownAt
        first: 0
      ) {
        totalCount
      }
      devices: related(
        relationships: ["MONITORED_BY", "CONTROLLED_BY"]
        asOf: $asOf
        knownAt: $knownAt
        first: 0
      ) {
        totalCount
      }
    }
    ... on Device {
      connectivity
    }
  }
}
    `) as unknown as TypedDocumentString<TreeRowsQuery, TreeRowsQueryVariables>;
export const TreeOpenAlarmsDocument = new TypedDocumentString(`
    query TreeOpenAlarms($states: [EventState!], $openAt: DateTime) {
  events(filter: { states: $states, openAt: $openAt }, first: 500) {
    nodes {
      id
      severity
      entity {
        id
      }
    }
    pageInfo {
      hasNextPage
    }
  }
}
    `) as unknown as TypedDocumentString<TreeOpenAlarmsQuery, TreeOpenAlarmsQueryVariables>;
export const TreeAlarmPlacesDocument = new TypedDocumentString(`
    query TreeAlarmPlaces($input: TraverseInput!) {
  traverse(input: $input) {
    edges {
      id
      relationship
      source {
        id
      }
      target {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<TreeAlarmPlacesQuery, TreeAlarmPlacesQueryVariables>;
export const TreeAlarmsChangedDocument = new TypedDocumentString(`
    subscription TreeAlarmsChanged($filter: EventFilter) {
  events(filter: $filter) {
    id
  }
}
    `) as unknown as TypedDocumentString<TreeAlarmsChangedSubscription, TreeAlarmsChangedSubscriptionVariables>;
export const TreeRootsDocument = new TypedDocumentString(`
    query TreeRoots($filter: EntityFilter, $kinds: [EntityKind!]!, $asOf: DateTime, $knownAt: DateTime, $hasSpaces: Boolean!, $hasAssets: Boolean!, $afterSpaces: String, $afterAssets: String) {
  spaces(filter: $filter, orderBy: CREATED_ASC, first: 200, after: $afterSpaces) @include(if: $hasSpaces) {
    totalCount
    nodes {
      id
      kind
      name
      type
      parents(asOf: $asOf, knownAt: $knownAt) {
        id
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
  assets(filter: $filter, orderBy: CREATED_ASC, first: 200, after: $afterAssets) @include(if: $hasAssets) {
    totalCount
    nodes {
      id
      kind
      name
      type
      parents(asOf: $asOf, knownAt: $knownAt) {
        id
      }
      places: related(
        relationships: ["LOCATED_IN"]
        asOf: $asOf
        knownAt: $knownAt
        first: 1
      ) {
        nodes {
          id
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
  newest: entities(filter: { kinds: $kinds }, orderBy: CREATED_DESC, first: 1) {
    nodes {
      createdAt
    }
  }
}
    `) as unknown as TypedDocumentString<TreeRootsQuery, TreeRootsQueryVariables>;
export const TreeVersionsDocument = new TypedDocumentString(`
    query TreeVersions($ids: [ID!]!, $relationships: [String!]!, $from: DateTime!, $after: String) {
  edgeVersions(
    entityIds: $ids
    relationships: $relationships
    from: $from
    first: 500
    after: $after
  ) {
    nodes {
      id
      edgeId
      relationship
      validFrom
      validUntil
      recordedAt
      retractedAt
      source {
        id
        kind
        name
        type
      }
      target {
        id
        kind
        name
        type
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<TreeVersionsQuery, TreeVersionsQueryVariables>;
export const ChangesOfRangeDocument = new TypedDocumentString(`
    query ChangesOfRange($filter: ChangeFilter!, $first: Int!, $after: String) {
  changes(filter: $filter, first: $first, after: $after) {
    totalCount
    nodes {
      ...ChangeOfRange
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment ChangeOfRange on Change {
  id
  recordedAt
  actor
  action
  before
  after
  reason
  subject {
    __typename
    id
    ... on Entity {
      kind
      name
    }
    ... on Rule {
      name
    }
    ... on Edge {
      edgeId
      relationship
      port
      source {
        id
        kind
        name
      }
      target {
        id
        kind
        name
      }
    }
  }
}`) as unknown as TypedDocumentString<ChangesOfRangeQuery, ChangesOfRangeQueryVariables>;
export const EventsOfRangeDocument = new TypedDocumentString(`
    query EventsOfRange($happened: EventFilter!, $withdrawn: EventFilter!, $subject: ID!, $hasSubject: Boolean!, $first: Int!) {
  happened: events(filter: $happened, first: $first) {
    totalCount
    nodes {
      ...EventOfRange
    }
  }
  withdrawn: events(filter: $withdrawn, first: $first) {
    nodes {
      ...EventOfRange
    }
  }
  entity(id: $subject) @include(if: $hasSubject) {
    id
    kind
    name
    type
  }
}
    fragment EventOfRange on Event {
  id
  state
  severity
  openedAt
  detectedAt
  clearedAt
  withdrawnAt
  rule {
    id
    name
  }
  entity {
    id
    kind
    name
  }
  corrections {
    recordedAt
    before
    after
  }
}`) as unknown as TypedDocumentString<EventsOfRangeQuery, EventsOfRangeQueryVariables>;
export const VersionsOfRangeDocument = new TypedDocumentString(`
    query VersionsOfRange($entityIds: [ID!], $underId: ID, $from: DateTime!, $to: DateTime!, $after: String) {
  edgeVersions(
    entityIds: $entityIds
    underId: $underId
    from: $from
    to: $to
    first: 500
    after: $after
  ) {
    totalCount
    nodes {
      id
      edgeId
      relationship
      port
      validFrom
      validUntil
      recordedAt
      retractedAt
      source {
        id
        kind
        name
      }
      target {
        id
        kind
        name
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<VersionsOfRangeQuery, VersionsOfRangeQueryVariables>;
export const UpdateDevicesDocument = new TypedDocumentString(`
    mutation UpdateDevices($filter: EntityFilter!, $patch: EntityPatch!, $dryRun: Boolean!, $reason: String) {
  updateEntities(filter: $filter, patch: $patch, dryRun: $dryRun, reason: $reason) {
    matched
    changed
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateDevicesMutation, UpdateDevicesMutationVariables>;
export const RetireDevicesDocument = new TypedDocumentString(`
    mutation RetireDevices($filter: EntityFilter!, $dryRun: Boolean!, $reason: String) {
  deleteEntities(filter: $filter, dryRun: $dryRun, reason: $reason) {
    matched
    changed
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<RetireDevicesMutation, RetireDevicesMutationVariables>;
export const DeviceTypeNamesDocument = new TypedDocumentString(`
    query DeviceTypeNames {
  entityTypes(kind: DEVICE) {
    id
    name
  }
}
    `) as unknown as TypedDocumentString<DeviceTypeNamesQuery, DeviceTypeNamesQueryVariables>;
export const LinkDevicesDocument = new TypedDocumentString(`
    mutation LinkDevices($records: [JSON!]!, $validFrom: DateTime!, $dryRun: Boolean!, $reason: String) {
  importGraph(
    records: $records
    validFrom: $validFrom
    dryRun: $dryRun
    reason: $reason
  ) {
    edgesCreated
    edgesUpdated
    edgesUnchanged
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<LinkDevicesMutation, LinkDevicesMutationVariables>;
export const IssueTokensDocument = new TypedDocumentString(`
    mutation IssueTokens($deviceId: ID!) {
  issueDeviceToken(deviceId: $deviceId) {
    token
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<IssueTokensMutation, IssueTokensMutationVariables>;
export const CreateDeviceDocument = new TypedDocumentString(`
    mutation CreateDevice($input: CreateDeviceInput!) {
  createDevice(input: $input) {
    device {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateDeviceMutation, CreateDeviceMutationVariables>;
export const DevicePageDocument = new TypedDocumentString(`
    query DevicePage($id: ID!, $at: DateTime!, $isSeen: Boolean!) {
  node(id: $id) {
    __typename
    id
    ... on Entity {
      kind
    }
    ... on Device {
      name
      type
      status
      externalId
      attributes
      createdAt
      updatedAt
      deletedAt
      connectivity
      lastSeenAt
      firmwareVersion
      asRecorded(at: $at) @include(if: $isSeen) {
        name
        type
        status
        externalId
        attributes
        recordedAt
        actor
        deletedAt
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DevicePageQuery, DevicePageQueryVariables>;
export const RestoreDeviceDocument = new TypedDocumentString(`
    mutation RestoreDevice($id: ID!) {
  restoreEntity(id: $id) {
    entity {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<RestoreDeviceMutation, RestoreDeviceMutationVariables>;
export const RawReadingsDocument = new TypedDocumentString(`
    query RawReadings($id: ID!, $after: String) {
  node(id: $id) {
    id
    ... on Device {
      rawReadings(first: 50, after: $after) {
        nodes {
          id
          receivedAt
          timestamp
          port
          transport
          payload
          outcome
          deadLetters {
            id
            code
            message
            metric
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RawReadingsQuery, RawReadingsQueryVariables>;
export const DeviceDeadLettersDocument = new TypedDocumentString(`
    query DeviceDeadLetters($deviceId: ID!, $after: String) {
  deadLetters(filter: { deviceId: $deviceId }, first: 50, after: $after) {
    totalCount
    nodes {
      id
      stage
      code
      message
      metric
      payload
      receivedAt
      attempts
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<DeviceDeadLettersQuery, DeviceDeadLettersQueryVariables>;
export const RetryDeviceLettersDocument = new TypedDocumentString(`
    mutation RetryDeviceLetters($filter: DeadLetterFilter!) {
  retryDeadLetters(filter: $filter) {
    count
    remaining
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<RetryDeviceLettersMutation, RetryDeviceLettersMutationVariables>;
export const DeviceTokensDocument = new TypedDocumentString(`
    query DeviceTokens($id: ID!) {
  node(id: $id) {
    id
    ... on Device {
      tokens {
        id
        issuedAt
        issuedBy
        lastUsedAt
        expiresAt
        revokedAt
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DeviceTokensQuery, DeviceTokensQueryVariables>;
export const IssueDeviceTokenDocument = new TypedDocumentString(`
    mutation IssueDeviceToken($deviceId: ID!, $expiresAt: DateTime) {
  issueDeviceToken(deviceId: $deviceId, expiresAt: $expiresAt) {
    token
    tokenId
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<IssueDeviceTokenMutation, IssueDeviceTokenMutationVariables>;
export const RevokeDeviceTokenDocument = new TypedDocumentString(`
    mutation RevokeDeviceToken($deviceId: ID!, $tokenId: ID!) {
  revokeDeviceToken(deviceId: $deviceId, tokenId: $tokenId) {
    tokenId
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeDeviceTokenMutation, RevokeDeviceTokenMutationVariables>;
export const SelectedDevicesCountDocument = new TypedDocumentString(`
    query SelectedDevicesCount($filter: EntityFilter!) {
  devices(filter: $filter, first: 0) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<SelectedDevicesCountQuery, SelectedDevicesCountQueryVariables>;
export const SelectedDevicesDocument = new TypedDocumentString(`
    query SelectedDevices($filter: EntityFilter!, $after: String) {
  devices(filter: $filter, orderBy: CREATED_ASC, first: 500, after: $after) {
    nodes {
      id
      name
      externalId
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<SelectedDevicesQuery, SelectedDevicesQueryVariables>;
export const DeviceListDocument = new TypedDocumentString(`
    query DeviceList($filter: EntityFilter, $orderBy: EntityOrder, $asOf: DateTime, $knownAt: DateTime, $after: String) {
  devices(
    filter: $filter
    orderBy: $orderBy
    asOf: $asOf
    knownAt: $knownAt
    first: 200
    after: $after
  ) {
    nodes {
      id
      kind
      name
      type
      status
      connectivity
      lastSeenAt
      linkedAssetsCount
      firmwareVersion
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
  newest: devices(orderBy: CREATED_DESC, first: 1) {
    nodes {
      createdAt
    }
  }
}
    `) as unknown as TypedDocumentString<DeviceListQuery, DeviceListQueryVariables>;
export const DeviceFacetsDocument = new TypedDocumentString(`
    query DeviceFacets($filter: EntityFilter, $forType: EntityFilter, $forStatus: EntityFilter, $forConnectivity: EntityFilter, $asOf: DateTime, $knownAt: DateTime, $under: ID!, $isUnder: Boolean!) {
  devices(filter: $filter, asOf: $asOf, knownAt: $knownAt, first: 0) {
    totalCount
  }
  type: facets(filter: $forType, by: [TYPE], first: 50) {
    values {
      value
      count
    }
  }
  status: facets(filter: $forStatus, by: [STATUS]) {
    values {
      value
      count
    }
  }
  connectivity: facets(filter: $forConnectivity, by: [CONNECTIVITY]) {
    values {
      value
      count
    }
  }
  under: node(id: $under) @include(if: $isUnder) {
    id
    ... on Entity {
      kind
      name
    }
  }
}
    `) as unknown as TypedDocumentString<DeviceFacetsQuery, DeviceFacetsQueryVariables>;
export const VisibleDevicesDocument = new TypedDocumentString(`
    query VisibleDevices($ids: [ID!]!, $from: DateTime!, $to: DateTime!, $states: [EventState!], $openAt: DateTime) {
  nodes(ids: $ids) {
    id
    ... on Device {
      connectivity
      lastSeenAt
      linkedAssetsCount
      telemetry(from: $from, to: $to, bucket: "PT1H") {
        metric
        port
        unit
        type
        values
      }
    }
  }
  events(
    filter: { entityIds: $ids, states: $states, openAt: $openAt }
    first: 500
  ) {
    nodes {
      id
      severity
      entity {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<VisibleDevicesQuery, VisibleDevicesQueryVariables>;
export const VisibleDevicesChangedDocument = new TypedDocumentString(`
    subscription VisibleDevicesChanged($ids: [ID!]!) {
  entityChanged(ids: $ids) {
    id
    name
    type
    status
    deletedAt
    ... on Device {
      connectivity
      lastSeenAt
      linkedAssetsCount
      firmwareVersion
    }
  }
}
    `) as unknown as TypedDocumentString<VisibleDevicesChangedSubscription, VisibleDevicesChangedSubscriptionVariables>;
export const PointsOfRangeDocument = new TypedDocumentString(`
    query PointsOfRange($deviceId: ID!, $from: DateTime!, $to: DateTime!, $bucket: Duration!) {
  node(id: $deviceId) {
    id
    ... on Device {
      telemetry(from: $from, to: $to, bucket: $bucket, aggregate: COUNT) {
        metric
        port
        values
        incomplete
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PointsOfRangeQuery, PointsOfRangeQueryVariables>;
export const RetractEdgeDocument = new TypedDocumentString(`
    mutation RetractEdge($id: ID!, $reason: String) {
  correctEdge(id: $id, retract: true, reason: $reason) {
    edge {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<RetractEdgeMutation, RetractEdgeMutationVariables>;
export const LinkDeviceDocument = new TypedDocumentString(`
    mutation LinkDevice($input: LinkDeviceInput!) {
  linkDevice(input: $input) {
    edge {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<LinkDeviceMutation, LinkDeviceMutationVariables>;
export const RelationshipChoicesDocument = new TypedDocumentString(`
    query RelationshipChoices {
  relationships {
    name
    inverse
    sourceKinds
    targetKinds
    retiredAt
  }
}
    `) as unknown as TypedDocumentString<RelationshipChoicesQuery, RelationshipChoicesQueryVariables>;
export const CreateRelationDocument = new TypedDocumentString(`
    mutation CreateRelation($input: CreateEdgeInput!) {
  createEdge(input: $input) {
    edge {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateRelationMutation, CreateRelationMutationVariables>;
export const ReplaceDeviceDocument = new TypedDocumentString(`
    mutation ReplaceDevice($deviceId: ID!, $replacementId: ID!, $at: DateTime, $reason: String) {
  replaceDevice(
    deviceId: $deviceId
    replacementId: $replacementId
    at: $at
    reason: $reason
  ) {
    ended {
      id
    }
    created {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<ReplaceDeviceMutation, ReplaceDeviceMutationVariables>;
export const EndLinkDocument = new TypedDocumentString(`
    mutation EndLink($id: ID!, $at: DateTime, $reason: String) {
  endEdge(id: $id, at: $at, reason: $reason) {
    edge {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<EndLinkMutation, EndLinkMutationVariables>;
export const CorrectEdgeDocument = new TypedDocumentString(`
    mutation CorrectEdge($id: ID!, $validFrom: DateTime!, $validUntil: DateTime, $reason: String) {
  correctEdge(
    id: $id
    validFrom: $validFrom
    validUntil: $validUntil
    reason: $reason
  ) {
    edge {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CorrectEdgeMutation, CorrectEdgeMutationVariables>;
export const EntityEdgeHistoryDocument = new TypedDocumentString(`
    query EntityEdgeHistory($id: ID!, $relationships: [String!], $after: String) {
  node(id: $id) {
    id
    ... on Entity {
      edgeHistory(relationships: $relationships, first: 500, after: $after) {
        totalCount
        nodes {
          id
          edgeId
          relationship
          port
          exclusive
          metadata
          validFrom
          validUntil
          recordedAt
          retractedAt
          source {
            id
            kind
            name
            type
          }
          target {
            id
            kind
            name
            type
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<EntityEdgeHistoryQuery, EntityEdgeHistoryQueryVariables>;
export const EdgesChangedDocument = new TypedDocumentString(`
    subscription EdgesChanged($entityIds: [ID!]!) {
  edgeUpdates(entityIds: $entityIds) {
    what
  }
}
    `) as unknown as TypedDocumentString<EdgesChangedSubscription, EdgesChangedSubscriptionVariables>;
export const EntityFormDocument = new TypedDocumentString(`
    query EntityForm($id: ID!) {
  node(id: $id) {
    __typename
    id
    ... on Entity {
      kind
      name
      externalId
      type
      status
      attributes
      updatedAt
    }
    ... on Device {
      firmwareVersion
    }
  }
  entityTypes {
    id
    kind
    name
    attributes
  }
}
    `) as unknown as TypedDocumentString<EntityFormQuery, EntityFormQueryVariables>;
export const EntityHistoryEdgesDocument = new TypedDocumentString(`
    query EntityHistoryEdges($id: ID!) {
  node(id: $id) {
    id
    ... on Entity {
      edgeHistory(first: 400) {
        nodes {
          edgeId
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<EntityHistoryEdgesQuery, EntityHistoryEdgesQueryVariables>;
export const EntityChangesDocument = new TypedDocumentString(`
    query EntityChanges($subjectIds: [ID!]!, $to: DateTime, $after: String) {
  changes(filter: { subjectIds: $subjectIds, to: $to }, first: 50, after: $after) {
    totalCount
    nodes {
      id
      recordedAt
      actor
      action
      before
      after
      reason
      subject {
        __typename
        id
        ... on Entity {
          kind
          name
        }
        ... on Edge {
          relationship
          port
          source {
            id
            kind
            name
          }
          target {
            id
            kind
            name
          }
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<EntityChangesQuery, EntityChangesQueryVariables>;
export const RowsChangedDocument = new TypedDocumentString(`
    subscription RowsChanged($ids: [ID!]!) {
  entityChanged(ids: $ids) {
    id
    name
    type
    status
    deletedAt
  }
}
    `) as unknown as TypedDocumentString<RowsChangedSubscription, RowsChangedSubscriptionVariables>;
export const RowsAlarmedDocument = new TypedDocumentString(`
    subscription RowsAlarmed($filter: EventFilter!) {
  events(filter: $filter) {
    id
  }
}
    `) as unknown as TypedDocumentString<RowsAlarmedSubscription, RowsAlarmedSubscriptionVariables>;
export const NewcomersDocument = new TypedDocumentString(`
    query Newcomers($filter: EntityFilter!) {
  entities(filter: $filter, first: 0) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<NewcomersQuery, NewcomersQueryVariables>;
export const EntitiesAnnouncedDocument = new TypedDocumentString(`
    subscription EntitiesAnnounced($kinds: [EntityKind!]!) {
  entityChanged(kinds: $kinds) {
    id
    createdAt
  }
}
    `) as unknown as TypedDocumentString<EntitiesAnnouncedSubscription, EntitiesAnnouncedSubscriptionVariables>;
export const OneEntityChangedDocument = new TypedDocumentString(`
    subscription OneEntityChanged($ids: [ID!]!) {
  entityChanged(ids: $ids) {
    id
    updatedAt
  }
}
    `) as unknown as TypedDocumentString<OneEntityChangedSubscription, OneEntityChangedSubscriptionVariables>;
export const UpdateDeviceFieldsDocument = new TypedDocumentString(`
    mutation UpdateDeviceFields($id: ID!, $input: UpdateDeviceInput!) {
  result: updateDevice(id: $id, input: $input) {
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateDeviceFieldsMutation, UpdateDeviceFieldsMutationVariables>;
export const UpdateAssetFieldsDocument = new TypedDocumentString(`
    mutation UpdateAssetFields($id: ID!, $input: UpdateAssetInput!) {
  result: updateAsset(id: $id, input: $input) {
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateAssetFieldsMutation, UpdateAssetFieldsMutationVariables>;
export const UpdateSpaceFieldsDocument = new TypedDocumentString(`
    mutation UpdateSpaceFields($id: ID!, $input: UpdateSpaceInput!) {
  result: updateSpace(id: $id, input: $input) {
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateSpaceFieldsMutation, UpdateSpaceFieldsMutationVariables>;
export const UpdatePersonFieldsDocument = new TypedDocumentString(`
    mutation UpdatePersonFields($id: ID!, $input: UpdatePersonInput!) {
  result: updatePerson(id: $id, input: $input) {
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdatePersonFieldsMutation, UpdatePersonFieldsMutationVariables>;
export const UpdateActivityFieldsDocument = new TypedDocumentString(`
    mutation UpdateActivityFields($id: ID!, $input: UpdateActivityInput!) {
  result: updateActivity(id: $id, input: $input) {
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateActivityFieldsMutation, UpdateActivityFieldsMutationVariables>;
export const GraphRootDocument = new TypedDocumentString(`
    query GraphRoot($id: ID!) {
  entity(id: $id) {
    id
    kind
    name
    type
  }
}
    `) as unknown as TypedDocumentString<GraphRootQuery, GraphRootQueryVariables>;
export const GraphPathDocument = new TypedDocumentString(`
    query GraphPath($fromId: ID!, $toId: ID!, $asOf: DateTime, $knownAt: DateTime) {
  path(fromId: $fromId, toId: $toId, asOf: $asOf, knownAt: $knownAt) {
    length
    nodes {
      id
      kind
      name
      type
    }
    edges {
      id
      edgeId
      relationship
      port
      exclusive
      metadata
      validFrom
      validUntil
      recordedAt
      retractedAt
      source {
        id
        kind
        name
        type
      }
      target {
        id
        kind
        name
        type
      }
    }
  }
  end: entity(id: $toId) {
    id
    kind
    name
    type
  }
}
    `) as unknown as TypedDocumentString<GraphPathQuery, GraphPathQueryVariables>;
export const GraphVersionsDocument = new TypedDocumentString(`
    query GraphVersions($entityIds: [ID!]!, $from: DateTime!, $to: DateTime, $after: String) {
  edgeVersions(
    entityIds: $entityIds
    from: $from
    to: $to
    first: 500
    after: $after
  ) {
    totalCount
    nodes {
      id
      edgeId
      relationship
      port
      exclusive
      metadata
      validFrom
      validUntil
      recordedAt
      retractedAt
      source {
        id
        kind
        name
        type
      }
      target {
        id
        kind
        name
        type
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<GraphVersionsQuery, GraphVersionsQueryVariables>;
export const OverviewChangesDocument = new TypedDocumentString(`
    query OverviewChanges($from: DateTime!, $to: DateTime) {
  changes(filter: { from: $from, to: $to }, first: 6) {
    totalCount
    nodes {
      ...ChangeOfRange
    }
  }
}
    fragment ChangeOfRange on Change {
  id
  recordedAt
  actor
  action
  before
  after
  reason
  subject {
    __typename
    id
    ... on Entity {
      kind
      name
    }
    ... on Rule {
      name
    }
    ... on Edge {
      edgeId
      relationship
      port
      source {
        id
        kind
        name
      }
      target {
        id
        kind
        name
      }
    }
  }
}`) as unknown as TypedDocumentString<OverviewChangesQuery, OverviewChangesQueryVariables>;
export const CreateFirstDeviceDocument = new TypedDocumentString(`
    mutation CreateFirstDevice($name: String!) {
  createDevice(input: { name: $name }) {
    device {
      id
      name
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateFirstDeviceMutation, CreateFirstDeviceMutationVariables>;
export const IssueFirstTokenDocument = new TypedDocumentString(`
    mutation IssueFirstToken($deviceId: ID!) {
  issueDeviceToken(deviceId: $deviceId) {
    token
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<IssueFirstTokenMutation, IssueFirstTokenMutationVariables>;
export const FirstReadingsDocument = new TypedDocumentString(`
    subscription FirstReadings($entityIds: [ID!]!, $since: DateTime, $after: String) {
  telemetry(entityIds: $entityIds, since: $since, after: $after) {
    cursor
    series {
      metric
      unit
      timestamps
      values
      texts
    }
  }
}
    `) as unknown as TypedDocumentString<FirstReadingsSubscription, FirstReadingsSubscriptionVariables>;
export const OverviewHealthDocument = new TypedDocumentString(`
    query OverviewHealth {
  assets(first: 6, orderBy: HEALTH_ASC) {
    nodes {
      id
      kind
      name
      type
      healthScore
    }
  }
}
    `) as unknown as TypedDocumentString<OverviewHealthQuery, OverviewHealthQueryVariables>;
export const CreateFirstAssetDocument = new TypedDocumentString(`
    mutation CreateFirstAsset($name: String!) {
  createAsset(input: { name: $name }) {
    asset {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateFirstAssetMutation, CreateFirstAssetMutationVariables>;
export const LinkFirstDeviceDocument = new TypedDocumentString(`
    mutation LinkFirstDevice($deviceId: ID!, $assetId: ID!, $validFrom: DateTime) {
  linkDevice(
    input: { deviceId: $deviceId, assetId: $assetId, validFrom: $validFrom }
  ) {
    edge {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<LinkFirstDeviceMutation, LinkFirstDeviceMutationVariables>;
export const OverviewStateDocument = new TypedDocumentString(`
    query OverviewState {
  viewer {
    organizationName
  }
  kinds: facets(by: [KIND]) {
    values {
      value
      count
    }
  }
  facets(filter: { kinds: [DEVICE] }, by: [CONNECTIVITY]) {
    by
    values {
      value
      count
    }
  }
  activities(
    first: 100
    filter: { not: { statuses: ["done", "verified", "cancelled"] } }
  ) {
    totalCount
    nodes {
      id
      kind
      name
      state
      priority
      dueAt
    }
  }
}
    `) as unknown as TypedDocumentString<OverviewStateQuery, OverviewStateQueryVariables>;
export const OverviewAccountDocument = new TypedDocumentString(`
    query OverviewAccount($from: DateTime!, $to: DateTime) {
  ingestAccount(from: $from, to: $to) {
    received
    stored
    duplicate
    dead
    pending
  }
}
    `) as unknown as TypedDocumentString<OverviewAccountQuery, OverviewAccountQueryVariables>;
export const EntityPageDocument = new TypedDocumentString(`
    query EntityPage($id: ID!, $at: DateTime!, $isSeen: Boolean!) {
  node(id: $id) {
    __typename
    id
    ... on Entity {
      kind
      name
      type
      status
      externalId
      attributes
      createdAt
      updatedAt
      deletedAt
      asRecorded(at: $at) @include(if: $isSeen) {
        name
        type
        status
        externalId
        attributes
        recordedAt
        actor
        deletedAt
      }
    }
    ... on Person {
      email
    }
    ... on Activity {
      category
      priority
      dueAt
      state
    }
  }
}
    `) as unknown as TypedDocumentString<EntityPageQuery, EntityPageQueryVariables>;
export const RulePickerDocument = new TypedDocumentString(`
    query RulePicker($text: String!) {
  rules(filter: { search: $text }, first: 12) {
    nodes {
      id
      name
      condition
      severity
    }
  }
}
    `) as unknown as TypedDocumentString<RulePickerQuery, RulePickerQueryVariables>;
export const RulePageDocument = new TypedDocumentString(`
    query RulePage($id: ID!, $day: DateTime!, $month: DateTime!, $to: DateTime) {
  node(id: $id) {
    __typename
    ... on Rule {
      id
      name
      profileId
      createdAt
      updatedAt
      deletedAt
      entityCount
      day: eventCount(from: $day, to: $to)
      month: eventCount(from: $month, to: $to)
      versions {
        effectiveFrom
        recordedAt
        actor
        condition
        scope
        severity
        action
        escalation
        damping
        isActive
      }
    }
  }
  changes(filter: { subjectIds: [$id] }, first: 500) {
    nodes {
      recordedAt
      reason
    }
  }
}
    `) as unknown as TypedDocumentString<RulePageQuery, RulePageQueryVariables>;
export const RuleFiredDocument = new TypedDocumentString(`
    subscription RuleFired($filter: EventFilter!) {
  events(filter: $filter) {
    id
  }
}
    `) as unknown as TypedDocumentString<RuleFiredSubscription, RuleFiredSubscriptionVariables>;
export const EditedRuleDocument = new TypedDocumentString(`
    query EditedRule($id: ID!) {
  node(id: $id) {
    __typename
    ... on Rule {
      id
      name
      profileId
      deletedAt
      versions {
        effectiveFrom
        recordedAt
        condition
        scope
        severity
        action
        escalation
        damping
        isActive
      }
    }
  }
}
    `) as unknown as TypedDocumentString<EditedRuleQuery, EditedRuleQueryVariables>;
export const RuleTemplatesDocument = new TypedDocumentString(`
    query RuleTemplates {
  activityTemplates(first: 200) {
    nodes {
      id
      name
      deletedAt
    }
  }
}
    `) as unknown as TypedDocumentString<RuleTemplatesQuery, RuleTemplatesQueryVariables>;
export const RuleScopeTypesDocument = new TypedDocumentString(`
    query RuleScopeTypes($kind: EntityKind!) {
  facets(filter: { kinds: [$kind] }, by: [TYPE], first: 200) {
    values {
      value
      count
    }
  }
}
    `) as unknown as TypedDocumentString<RuleScopeTypesQuery, RuleScopeTypesQueryVariables>;
export const RuleScopeChoicesDocument = new TypedDocumentString(`
    query RuleScopeChoices {
  groups(first: 200) {
    totalCount
    nodes {
      id
      name
      kind
    }
  }
  assetProfiles(first: 200) {
    totalCount
    nodes {
      id
      name
    }
  }
}
    `) as unknown as TypedDocumentString<RuleScopeChoicesQuery, RuleScopeChoicesQueryVariables>;
export const TestRuleDocument = new TypedDocumentString(`
    mutation TestRule($input: RuleInput!, $from: DateTime!, $to: DateTime!) {
  testRule(input: $input, from: $from, to: $to) {
    test {
      events {
        entityId
        beganAt
        openedAt
        clearedAt
        value
        flaps
      }
      entities
      points
      truncated
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<TestRuleMutation, TestRuleMutationVariables>;
export const RuleScopeEntitiesDocument = new TypedDocumentString(`
    query RuleScopeEntities($filter: EntityFilter!) {
  entities(filter: $filter, first: 25) {
    totalCount
    nodes {
      id
      ... on Device {
        latest {
          metric
          unit
          value
        }
      }
      ... on Asset {
        latest {
          metric
          unit
          value
        }
      }
      ... on Space {
        latest {
          metric
          unit
          value
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RuleScopeEntitiesQuery, RuleScopeEntitiesQueryVariables>;
export const RuleListDocument = new TypedDocumentString(`
    query RuleList($filter: RuleFilter!, $day: DateTime!, $month: DateTime!, $to: DateTime, $asOf: DateTime, $knownAt: DateTime, $after: String) {
  rules(filter: $filter, first: 100, after: $after) {
    totalCount
    nodes {
      id
      name
      severity
      isActive
      deletedAt
      entityCount
      day: eventCount(from: $day, to: $to)
      month: eventCount(from: $month, to: $to)
      condition
      scope
      action
      inForce(asOf: $asOf, knownAt: $knownAt) {
        condition
        scope
        severity
        action
        isActive
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<RuleListQuery, RuleListQueryVariables>;
export const RuleFacetsDocument = new TypedDocumentString(`
    query RuleFacets($critical: RuleFilter!, $high: RuleFilter!, $medium: RuleFilter!, $low: RuleFilter!, $active: RuleFilter!, $inactive: RuleFilter!) {
  critical: rules(filter: $critical, first: 0) {
    totalCount
  }
  high: rules(filter: $high, first: 0) {
    totalCount
  }
  medium: rules(filter: $medium, first: 0) {
    totalCount
  }
  low: rules(filter: $low, first: 0) {
    totalCount
  }
  active: rules(filter: $active, first: 0) {
    totalCount
  }
  inactive: rules(filter: $inactive, first: 0) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<RuleFacetsQuery, RuleFacetsQueryVariables>;
export const RulesFiredDocument = new TypedDocumentString(`
    subscription RulesFired {
  events {
    id
  }
}
    `) as unknown as TypedDocumentString<RulesFiredSubscription, RulesFiredSubscriptionVariables>;
export const CreateRuleDocument = new TypedDocumentString(`
    mutation CreateRule($input: RuleInput!, $reason: String) {
  createRule(input: $input, reason: $reason) {
    rule {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateRuleMutation, CreateRuleMutationVariables>;
export const UpdateRuleDocument = new TypedDocumentString(`
    mutation UpdateRule($id: ID!, $input: RuleInput!, $reason: String) {
  updateRule(id: $id, input: $input, reason: $reason) {
    rule {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateRuleMutation, UpdateRuleMutationVariables>;
export const DeleteRuleDocument = new TypedDocumentString(`
    mutation DeleteRule($id: ID!, $reason: String) {
  deleteRule(id: $id, reason: $reason) {
    rule {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteRuleMutation, DeleteRuleMutationVariables>;
export const ShelveRuleDocument = new TypedDocumentString(`
    mutation ShelveRule($to: DateTime!, $from: DateTime, $ruleId: ID, $entityId: ID, $note: String) {
  shelveEvents(
    to: $to
    from: $from
    ruleId: $ruleId
    entityId: $entityId
    note: $note
  ) {
    shelf {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<ShelveRuleMutation, ShelveRuleMutationVariables>;
export const CreateMaintenanceWindowDocument = new TypedDocumentString(`
    mutation CreateMaintenanceWindow($to: DateTime!, $from: DateTime, $underId: ID, $note: String) {
  createMaintenanceWindow(to: $to, from: $from, underId: $underId, note: $note) {
    maintenanceWindow {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateMaintenanceWindowMutation, CreateMaintenanceWindowMutationVariables>;
export const ShelvingDocument = new TypedDocumentString(`
    query Shelving($first: Int!) {
  shelves(first: $first) {
    totalCount
    nodes {
      id
      from
      to
      note
      actor
      createdAt
      rule {
        id
        name
      }
      entity {
        id
        kind
        name
      }
    }
  }
  maintenanceWindows(first: $first) {
    totalCount
    nodes {
      id
      from
      to
      note
      actor
      createdAt
      under {
        id
        kind
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ShelvingQuery, ShelvingQueryVariables>;
export const EndShelfDocument = new TypedDocumentString(`
    mutation EndShelf($id: ID!) {
  unshelveEvents(id: $id) {
    shelf {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<EndShelfMutation, EndShelfMutationVariables>;
export const EndMaintenanceWindowDocument = new TypedDocumentString(`
    mutation EndMaintenanceWindow($id: ID!) {
  endMaintenanceWindow(id: $id) {
    maintenanceWindow {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<EndMaintenanceWindowMutation, EndMaintenanceWindowMutationVariables>;
export const RuleNamesDocument = new TypedDocumentString(`
    query RuleNames($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    id
    ... on Entity {
      kind
      name
    }
    ... on Group {
      name
    }
    ... on AssetProfile {
      name
    }
    ... on ActivityTemplate {
      name
    }
  }
}
    `) as unknown as TypedDocumentString<RuleNamesQuery, RuleNamesQueryVariables>;
export const RulesInForceDocument = new TypedDocumentString(`
    query RulesInForce($id: ID!, $asOf: DateTime, $knownAt: DateTime) {
  rulesInForce(entityId: $id, asOf: $asOf, knownAt: $knownAt) {
    rule {
      id
      name
    }
    condition
    severity
  }
}
    `) as unknown as TypedDocumentString<RulesInForceQuery, RulesInForceQueryVariables>;
export const OpenAlarmCountsDocument = new TypedDocumentString(`
    query OpenAlarmCounts($states: [EventState!], $openAt: DateTime) {
  CRITICAL: events(
    filter: { severities: [CRITICAL], states: $states, openAt: $openAt }
    first: 0
  ) {
    totalCount
  }
  HIGH: events(
    filter: { severities: [HIGH], states: $states, openAt: $openAt }
    first: 0
  ) {
    totalCount
  }
  MEDIUM: events(
    filter: { severities: [MEDIUM], states: $states, openAt: $openAt }
    first: 0
  ) {
    totalCount
  }
  LOW: events(
    filter: { severities: [LOW], states: $states, openAt: $openAt }
    first: 0
  ) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<OpenAlarmCountsQuery, OpenAlarmCountsQueryVariables>;
export const AlarmsChangedDocument = new TypedDocumentString(`
    subscription AlarmsChanged {
  events {
    id
  }
}
    `) as unknown as TypedDocumentString<AlarmsChangedSubscription, AlarmsChangedSubscriptionVariables>;
export const PaletteSearchDocument = new TypedDocumentString(`
    query PaletteSearch($text: String!) {
  search(text: $text, first: 12) {
    entity {
      id
      kind
      name
      type
    }
    path
  }
}
    `) as unknown as TypedDocumentString<PaletteSearchQuery, PaletteSearchQueryVariables>;
export const TimeBarVersionsDocument = new TypedDocumentString(`
    query TimeBarVersions($entityIds: [ID!], $underId: ID, $from: DateTime!, $to: DateTime!) {
  edgeVersions(
    entityIds: $entityIds
    underId: $underId
    from: $from
    to: $to
    first: 500
  ) {
    nodes {
      id
      edgeId
      validFrom
      validUntil
      recordedAt
      retractedAt
    }
    pageInfo {
      hasNextPage
    }
  }
}
    `) as unknown as TypedDocumentString<TimeBarVersionsQuery, TimeBarVersionsQueryVariables>;
export const TimeBarAlarmsDocument = new TypedDocumentString(`
    query TimeBarAlarms($filter: EventFilter!) {
  events(filter: $filter, first: 200) {
    nodes {
      id
      severity
      openedAt
    }
    pageInfo {
      hasNextPage
    }
  }
}
    `) as unknown as TypedDocumentString<TimeBarAlarmsQuery, TimeBarAlarmsQueryVariables>;
export const SpaceOverviewDocument = new TypedDocumentString(`
    query SpaceOverview($id: ID!, $below: EntityFilter!, $asOf: DateTime, $knownAt: DateTime) {
  node(id: $id) {
    id
    ... on Space {
      parents(asOf: $asOf, knownAt: $knownAt) {
        id
        kind
        name
      }
      children(asOf: $asOf, knownAt: $knownAt, first: 30) {
        totalCount
        nodes {
          id
          kind
          name
          type
        }
      }
      occupants(asOf: $asOf, knownAt: $knownAt, first: 30) {
        totalCount
        nodes {
          id
          kind
          name
          type
        }
      }
    }
  }
  assets(filter: $below, asOf: $asOf, knownAt: $knownAt, first: 0) {
    totalCount
  }
  devices(filter: $below, asOf: $asOf, knownAt: $knownAt, first: 0) {
    totalCount
  }
  spaces(filter: $below, asOf: $asOf, knownAt: $knownAt, first: 0) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<SpaceOverviewQuery, SpaceOverviewQueryVariables>;
export const SpacePageDocument = new TypedDocumentString(`
    query SpacePage($id: ID!, $at: DateTime!, $isSeen: Boolean!, $steps: [TraverseStep!]!, $asOf: DateTime, $knownAt: DateTime) {
  node(id: $id) {
    __typename
    id
    ... on Entity {
      kind
    }
    ... on Space {
      name
      type
      status
      externalId
      attributes
      createdAt
      updatedAt
      deletedAt
      location
      asRecorded(at: $at) @include(if: $isSeen) {
        name
        type
        status
        externalId
        attributes
        location
        recordedAt
        actor
        deletedAt
      }
    }
  }
  traverse(
    input: { startIds: [$id], steps: $steps, asOf: $asOf, knownAt: $knownAt }
  ) {
    edges {
      relationship
      source {
        id
        kind
        name
      }
      target {
        id
        kind
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<SpacePageQuery, SpacePageQueryVariables>;
export const LatestValuesDocument = new TypedDocumentString(`
    query LatestValues($id: ID!) {
  node(id: $id) {
    id
    ... on Entity {
      latest {
        metric
        port
        unit
        type
        value
        text
        timestamp
      }
    }
  }
}
    `) as unknown as TypedDocumentString<LatestValuesQuery, LatestValuesQueryVariables>;
export const LastValuesBeforeDocument = new TypedDocumentString(`
    query LastValuesBefore($id: ID!, $from: DateTime!, $to: DateTime!) {
  node(id: $id) {
    id
    ... on Entity {
      telemetry(from: $from, to: $to, maxPoints: 1) {
        metric
        port
        unit
        type
        timestamps
        values
        texts
      }
    }
  }
}
    `) as unknown as TypedDocumentString<LastValuesBeforeQuery, LastValuesBeforeQueryVariables>;
export const NewerValuesDocument = new TypedDocumentString(`
    subscription NewerValues($id: ID!, $after: String) {
  telemetry(entityIds: [$id], interval: "PT1S", after: $after) {
    series {
      metric
      port
      unit
      type
      timestamps
      values
      texts
    }
    invalidated {
      metric
    }
    cursor
  }
}
    `) as unknown as TypedDocumentString<NewerValuesSubscription, NewerValuesSubscriptionVariables>;
export const EntitySeriesDocument = new TypedDocumentString(`
    query EntitySeries($id: ID!, $metrics: [String!], $from: DateTime!, $to: DateTime, $bucket: Duration, $timezone: String!) {
  node(id: $id) {
    id
    ... on Entity {
      telemetry(
        metrics: $metrics
        from: $from
        to: $to
        bucket: $bucket
        timezone: $timezone
        maxPoints: 2000
      ) {
        metric
        port
        unit
        type
        timestamps
        values
        texts
        truncated
        incomplete
      }
    }
  }
}
    `) as unknown as TypedDocumentString<EntitySeriesQuery, EntitySeriesQueryVariables>;
export const EntityPointsDocument = new TypedDocumentString(`
    subscription EntityPoints($id: ID!, $metrics: [String!], $since: DateTime, $after: String) {
  telemetry(
    entityIds: [$id]
    metrics: $metrics
    since: $since
    after: $after
    interval: "PT0.016S"
  ) {
    series {
      metric
      port
      unit
      type
      timestamps
      values
      texts
    }
    invalidated {
      metric
      from
      to
    }
    gaps {
      metric
      from
      to
    }
    dropped
    pointsLeftOut
    cursor
  }
}
    `) as unknown as TypedDocumentString<EntityPointsSubscription, EntityPointsSubscriptionVariables>;
export const PickerSearchDocument = new TypedDocumentString(`
    query PickerSearch($text: String!, $kinds: [EntityKind!], $first: Int!) {
  search(text: $text, kinds: $kinds, first: $first) {
    entity {
      id
      kind
      name
      type
      externalId
    }
    path
  }
}
    `) as unknown as TypedDocumentString<PickerSearchQuery, PickerSearchQueryVariables>;
export const TargetingWorkDocument = new TypedDocumentString(`
    query TargetingWork($id: ID!, $first: Int!, $after: String, $asOf: DateTime, $knownAt: DateTime) {
  node(id: $id) {
    id
    ... on Entity {
      related(
        relationships: ["TARGETS"]
        direction: IN
        kinds: [ACTIVITY]
        first: $first
        after: $after
        asOf: $asOf
        knownAt: $knownAt
      ) {
        totalCount
        nodes {
          id
          kind
          name
          ... on Activity {
            category
            priority
            state
            dueAt
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<TargetingWorkQuery, TargetingWorkQueryVariables>;