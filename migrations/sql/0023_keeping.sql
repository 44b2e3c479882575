-- As before, and besides: what is left of what was done about events, and states of rules that points no longer reach.
CREATE OR REPLACE FUNCTION forget_rows(relation text, before timestamptz, first_page bigint, pages integer)
    RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
    which text := CASE relation
        WHEN 'reading_keys' THEN 't.received_at < $1'
        WHEN 'dead_letters' THEN 't.received_at < $1'
        WHEN 'derived_commits' THEN 't.committed_at < $1'
        -- Whatever waits, stays.
        WHEN 'event_changes' THEN 't.acted_at < $1'
        WHEN 'event_corrections' THEN 't.recorded_at < $1'
        -- That the beginning of an event was told, or noted, is asked when it ends.
        WHEN 'notifications' THEN $sql$t.finished_at < $1 AND t.state <> 'PENDING' AND NOT EXISTS (
            SELECT FROM public.events e WHERE e.organization_id = t.organization_id AND e.id = t.event_id
                AND e.cleared_at IS NULL AND e.withdrawn_at IS NULL)$sql$
        WHEN 'activity_steps' THEN $sql$t.recorded_at < $1 AND t.step IN ('EVENT', 'SUGGESTED') AND NOT EXISTS (
            SELECT FROM public.events e WHERE e.organization_id = t.organization_id AND e.id = t.event_id
                AND e.cleared_at IS NULL AND e.withdrawn_at IS NULL)$sql$
        -- The last of each month stays, and so the last of all before: whatever is measured from then on is judged from
        -- it.
        WHEN 'rule_states' THEN $sql$t.at < $1 AND EXISTS (
            SELECT FROM public.rule_states s WHERE s.organization_id = t.organization_id
                AND s.entity_id = t.entity_id AND s.rule_id = t.rule_id AND s.key = t.key AND s.at > t.at AND s.at <= $1
                AND s.at < (date_trunc('month', t.at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC')$sql$
    END;
BEGIN
    IF which IS NULL THEN
        RAISE EXCEPTION 'forget_rows: % is kept', relation;
    END IF;
    IF before > clock_timestamp() - interval '1 day' THEN
        RAISE EXCEPTION 'forget_rows: what is younger than a day is kept';
    END IF;
    EXECUTE format('DELETE FROM public.%I t WHERE t.ctid >= %L AND t.ctid < %L AND %s', relation,
        format('(%s,0)', first_page), format('(%s,0)', first_page + pages), which) USING before;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
