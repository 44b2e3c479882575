-- Erase entities for good. The rows belong to many; whoever runs the pipeline may do this, and nothing else, to them: of
-- the transaction's own organization, for an erasure that an administrator has begun.

-- A text without some names, where they stand as words.
CREATE OR REPLACE FUNCTION text_without(given text, names text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        given := regexp_replace(given, '(?<![[:alnum:]_])' || regexp_replace(name, '([^[:alnum:][:space:]])', '\\\1', 'g')
            || '(?![[:alnum:]_])', '[erased]', 'g');
    END LOOP;
    RETURN given;
END $$;

-- JSON without an id, which becomes a pseudonym, and without texts that are one of some names.
CREATE OR REPLACE FUNCTION json_without(given jsonb, id uuid, pseudonym uuid, names text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text;
    written text := replace(given::text, id::text, pseudonym::text);
BEGIN
    FOREACH name IN ARRAY names LOOP
        written := replace(written, to_jsonb(name)::text, '"[erased]"');
    END LOOP;
    RETURN written::jsonb;
END $$;

-- Take an entity out of entries of the audit trail. Those about the entity itself say no more than that something was
-- done, when and by whom; in the others its id becomes the pseudonym.
CREATE OR REPLACE FUNCTION trail_erase(organization integer, entries uuid[], entity uuid, pseudonym uuid, names text[])
    RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE public.changes c SET
        subject_id = CASE c.subject_id WHEN entity THEN pseudonym ELSE c.subject_id END,
        actor = replace(c.actor, entity::text, pseudonym::text),
        before = CASE c.subject_id WHEN entity THEN NULL ELSE public.json_without(c.before, entity, pseudonym, names) END,
        after = CASE c.subject_id WHEN entity THEN NULL ELSE public.json_without(c.after, entity, pseudonym, names) END,
        reason = public.text_without(replace(c.reason, entity::text, pseudonym::text), names)
    WHERE c.organization_id = organization AND c.id = ANY (entries) AND (c.subject_id = entity
        OR strpos(concat(c.actor, c.before, c.after, c.reason), entity::text) > 0)
$$;

-- Do a page of an erasure: delete up to `most` rows of what may be many, or look through as many entries of the audit
-- trail. Returns whether anything is left for another page.
CREATE OR REPLACE FUNCTION erasure_page(erasure uuid, most integer) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    o constant integer := public.current_organization();
    job public.erasures;
    own bigint[];
    entries record;
    done bigint;
BEGIN
    SELECT * INTO job FROM public.erasures e
    WHERE e.organization_id = o AND e.id = erasure AND e.entity_id IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    own := ARRAY(SELECT s.id FROM public.series s WHERE s.organization_id = o AND s.entity_id = job.entity_id);

    -- A batch that no stage has finished keeps its readings until one has.
    DELETE FROM public.telemetry_raw r WHERE r.organization_id = o AND (r.id, r.received_at) IN (
        SELECT t.id, t.received_at FROM public.telemetry_raw t
        JOIN public.raw_batches b ON b.organization_id = o AND b.id = t.batch_id AND b.received_at = t.received_at
        WHERE t.organization_id = o AND t.device_id = job.entity_id AND b.normalized_at IS NOT NULL LIMIT most);
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done > 0 THEN
        RETURN true;
    END IF;
    DELETE FROM public.telemetry_history h WHERE h.organization_id = o AND (h.series_id, h."timestamp") IN (
        SELECT t.series_id, t."timestamp" FROM public.telemetry_history t
        WHERE t.organization_id = o AND t.series_id = ANY (own) LIMIT most);
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done > 0 THEN
        RETURN true;
    END IF;
    DELETE FROM public.reading_keys k WHERE k.organization_id = o AND k.device_id = job.entity_id AND k.key IN (
        SELECT t.key FROM public.reading_keys t
        WHERE t.organization_id = o AND t.device_id = job.entity_id LIMIT most);
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done > 0 THEN
        RETURN true;
    END IF;
    SELECT array_agg(t.id) AS ids, (array_agg(t.recorded_at ORDER BY t.recorded_at DESC, t.id DESC))[1] AS at,
        (array_agg(t.id ORDER BY t.recorded_at DESC, t.id DESC))[1] AS id
    INTO entries FROM (
        SELECT c.recorded_at, c.id FROM public.changes c
        WHERE c.organization_id = o
            AND (job.trail_at IS NULL OR (c.recorded_at, c.id) > (job.trail_at, job.trail_id))
        ORDER BY c.recorded_at, c.id LIMIT most) t;
    IF entries.ids IS NULL THEN
        RETURN false;
    END IF;
    PERFORM public.trail_erase(o, entries.ids, job.entity_id, job.id, job.names);
    UPDATE public.erasures e SET trail_at = entries.at, trail_id = entries.id
    WHERE e.organization_id = o AND e.id = erasure;
    RETURN cardinality(entries.ids) = most;
END $$;

-- Finish an erasure whose pages are done: delete the entity, and what is left of it, from every table. The transaction
-- has begun a change of the organization. Returns false where readings of it still wait to be processed.
CREATE OR REPLACE FUNCTION erasure_finish(erasure uuid) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    o constant integer := public.current_organization();
    job public.erasures;
    x uuid;
    p uuid;
    own bigint[];
    its_events uuid[];
    place record;
BEGIN
    SELECT * INTO job FROM public.erasures e
    WHERE e.organization_id = o AND e.id = erasure AND e.entity_id IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    x := job.entity_id;
    p := job.id;
    IF EXISTS (
        SELECT FROM public.telemetry_raw t
        JOIN public.raw_batches b ON b.organization_id = o AND b.id = t.batch_id AND b.received_at = t.received_at
        WHERE t.organization_id = o AND t.device_id = x AND b.normalized_at IS NULL)
    THEN
        RETURN false;
    END IF;
    own := ARRAY(SELECT s.id FROM public.series s WHERE s.organization_id = o AND s.entity_id = x);
    its_events := ARRAY(SELECT v.id FROM public.events v WHERE v.organization_id = o AND v.entity_id = x);

    -- What it measured, and what was derived for it.
    DELETE FROM public.telemetry_raw r WHERE r.organization_id = o AND r.device_id = x;
    DELETE FROM public.reading_keys k WHERE k.organization_id = o AND k.device_id = x;
    DELETE FROM public.dead_letters d WHERE d.organization_id = o AND d.device_id = x;
    DELETE FROM public.telemetry_history h WHERE h.organization_id = o AND h.series_id = ANY (own);
    DELETE FROM public.series_hours h WHERE h.organization_id = o AND h.series_id = ANY (own);
    DELETE FROM public.dirty_hours h WHERE h.organization_id = o AND h.series_id = ANY (own);
    DELETE FROM public.latest_values v WHERE v.organization_id = o AND v.series_id = ANY (own);
    DELETE FROM public.series s WHERE s.organization_id = o AND s.entity_id = x;
    DELETE FROM public.device_presence d WHERE d.organization_id = o AND d.device_id = x;
    DELETE FROM public.device_tokens t WHERE t.organization_id = o AND t.device_id = x;

    -- Its events, and what was done about them.
    DELETE FROM public.event_annotations a WHERE a.organization_id = o AND a.event_id = ANY (its_events);
    DELETE FROM public.event_changes c WHERE c.organization_id = o AND c.event_id = ANY (its_events);
    DELETE FROM public.event_corrections c WHERE c.organization_id = o AND c.event_id = ANY (its_events);
    DELETE FROM public.event_notification_states s WHERE s.organization_id = o AND s.event_id = ANY (its_events);
    DELETE FROM public.event_updates u WHERE u.organization_id = o AND u.event_id = ANY (its_events);
    DELETE FROM public.notifications n WHERE n.organization_id = o
        AND (n.event_id = ANY (its_events) OR strpos(n.payload::text, x::text) > 0);
    UPDATE public.activity_steps s SET event_id = NULL
    WHERE s.organization_id = o AND s.event_id = ANY (its_events);
    DELETE FROM public.events v WHERE v.organization_id = o AND v.entity_id = x;
    DELETE FROM public.shelves s WHERE s.organization_id = o AND s.entity_id = x;
    DELETE FROM public.maintenance_windows w WHERE w.organization_id = o AND w.under_id = x;

    -- Work that people did on it stays, without it.
    UPDATE public.entities e SET name = public.text_without(e.name, job.names)
    FROM public.activities a WHERE a.organization_id = o AND a.target_id = x
        AND e.organization_id = o AND e.id = a.id AND e.name <> public.text_without(e.name, job.names);
    UPDATE public.activity_steps s SET note = public.text_without(s.note, job.names)
    FROM public.activities a WHERE a.organization_id = o AND a.target_id = x
        AND s.organization_id = o AND s.activity_id = a.id AND s.note IS NOT NULL;
    UPDATE public.activities a SET target_id = CASE a.target_id WHEN x THEN NULL ELSE a.target_id END,
        holds_place = a.holds_place AND a.target_id IS DISTINCT FROM x,
        event_id = CASE WHEN a.event_id = ANY (its_events) THEN NULL ELSE a.event_id END,
        suggestion = CASE WHEN a.event_id = ANY (its_events) THEN NULL ELSE a.suggestion END
    WHERE a.organization_id = o AND (a.target_id = x OR a.event_id = ANY (its_events));
    UPDATE public.activity_steps s SET person_id = NULL WHERE s.organization_id = o AND s.person_id = x;
    DELETE FROM public.activity_steps s WHERE s.organization_id = o AND s.activity_id = x;

    -- Rules that were about it alone are deleted; in what else names it, the pseudonym stands for nothing. An empty scope
    -- would stand for everything.
    UPDATE public.rule_versions v SET entity_id = CASE v.entity_id WHEN x THEN p ELSE v.entity_id END,
        under_id = CASE v.under_id WHEN x THEN p ELSE v.under_id END
    WHERE v.organization_id = o AND (v.entity_id = x OR v.under_id = x);
    UPDATE public.rules r SET name = public.text_without(r.name, job.names),
        deleted_at = CASE WHEN EXISTS (
            SELECT FROM public.rule_versions v WHERE v.organization_id = o AND v.rule_id = r.id
                AND v.entity_id IS DISTINCT FROM p AND v.under_id IS DISTINCT FROM p)
            THEN r.deleted_at ELSE coalesce(r.deleted_at, clock_timestamp()) END
    WHERE r.organization_id = o AND r.id IN (
        SELECT v.rule_id FROM public.rule_versions v WHERE v.organization_id = o AND (v.entity_id = p OR v.under_id = p));
    UPDATE public.api_keys k SET under_ids = array_replace(k.under_ids, x, p)
    WHERE k.organization_id = o AND x = ANY (k.under_ids);
    UPDATE public.groups g SET entity_ids = array_replace(g.entity_ids, x, p)
    WHERE g.organization_id = o AND x = ANY (g.entity_ids);
    UPDATE public.replays r SET device_id = CASE r.device_id WHEN x THEN p ELSE r.device_id END,
        device_ids = array_replace(r.device_ids, x, p), changes = replace(r.changes::text, x::text, p::text)::jsonb
    WHERE r.organization_id = o AND (r.device_id = x OR x = ANY (r.device_ids)
        OR strpos(r.changes::text, x::text) > 0);
    FOR place IN SELECT * FROM (VALUES
        ('rule_versions', 'condition'), ('rule_versions', 'action'), ('rule_versions', 'escalation'),
        ('rollups', 'definition'), ('asset_profile_versions', 'content'), ('feature_flags', 'value'),
        ('activities', 'checklist'), ('entities', 'attributes'), ('entity_edges', 'metadata'), ('groups', 'filter')
    ) AS v (of, name) LOOP
        EXECUTE format(
            'UPDATE public.%I SET %I = replace(%2$I::text, $2, $3)::jsonb'
            ' WHERE organization_id = $1 AND strpos(%2$I::text, $2) > 0', place.of, place.name)
        USING o, x::text, p::text;
    END LOOP;

    -- What is remembered of it, and waits.
    FOR place IN SELECT * FROM (VALUES
        ('convergence_differences'), ('derivation_faults'), ('dirty_buckets'), ('dirty_windows'), ('health_measured'),
        ('health_timers'), ('rollup_entities'), ('rollup_input_changes'), ('rollup_partial_aggregates'),
        ('rule_states'), ('rule_timers'), ('shadow_differences')
    ) AS v (of) LOOP
        EXECUTE format('DELETE FROM public.%I WHERE organization_id = $1 AND entity_id IN ($2, $3)', place.of)
        USING o, x, p;
    END LOOP;
    UPDATE public.convergence_progress c SET last_entity_id = NULL WHERE c.organization_id = o AND c.last_entity_id = x;
    DELETE FROM public.failed_items f
    WHERE f.organization_id = o AND strpos(concat(f.item, f.holds, f.reason), x::text) > 0;

    -- Its edges and memberships of all times, and itself.
    DELETE FROM public.group_members m WHERE m.organization_id = o AND m.entity_id = x;
    DELETE FROM public.entity_edges e WHERE e.organization_id = o AND (e.source_id = x OR e.target_id = x);
    DELETE FROM public.devices d WHERE d.organization_id = o AND d.id = x;
    DELETE FROM public.assets a WHERE a.organization_id = o AND a.id = x;
    DELETE FROM public.spaces s WHERE s.organization_id = o AND s.id = x;
    DELETE FROM public.persons n WHERE n.organization_id = o AND n.id = x;
    DELETE FROM public.activities a WHERE a.organization_id = o AND a.id = x;
    DELETE FROM public.entities e WHERE e.organization_id = o AND e.id = x;

    PERFORM public.trail_erase(o, ARRAY(
        SELECT c.id FROM public.changes c WHERE c.organization_id = o AND c.recorded_at >= job.requested_at
    ), x, p, job.names);
    PERFORM public.derivation_revision_raise(o);
    UPDATE public.erasures e SET entity_id = NULL, names = NULL, trail_at = NULL, trail_id = NULL,
        finished_at = (SELECT c.last_recorded FROM public.graph_clocks c WHERE c.organization_id = o)
    WHERE e.organization_id = o AND e.id = erasure;
    RETURN true;
END $$;

-- Delete readings of batches whose devices were erased: they came from a process that did not know yet.
CREATE OR REPLACE FUNCTION raw_erase(batches bigint[], received timestamptz[]) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM public.telemetry_raw r USING unnest(batches, received) AS u (id, received_at)
    WHERE r.organization_id = (SELECT public.current_organization()) AND r.batch_id = u.id
        AND r.received_at = u.received_at AND NOT EXISTS (
            SELECT FROM public.entities e WHERE e.organization_id = r.organization_id AND e.id = r.device_id)
        AND EXISTS (SELECT FROM public.erasures e WHERE e.organization_id = r.organization_id)
$$;

REVOKE ALL ON FUNCTION text_without(text, text[]), json_without(jsonb, uuid, uuid, text[]),
    trail_erase(integer, uuid[], uuid, uuid, text[]), erasure_page(uuid, integer), erasure_finish(uuid),
    raw_erase(bigint[], timestamptz[]) FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION erasure_page(uuid, integer), erasure_finish(uuid), raw_erase(bigint[], timestamptz[])
    TO argus_pipeline;
