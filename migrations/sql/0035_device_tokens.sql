-- Tokens of devices say who issued them, may expire, and show when they were last used, to the hour.
ALTER TABLE device_tokens
    ADD COLUMN issued_by text NOT NULL DEFAULT '',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN last_used_at timestamptz;
UPDATE device_tokens t SET issued_by = c.actor FROM changes c
WHERE c.organization_id = t.organization_id AND c.subject_type = 'device_token' AND c.subject_id = t.device_id
    AND c.action = 'issued' AND c.after ->> 'tokenId' = t.id::text;
ALTER TABLE device_tokens ALTER COLUMN issued_by DROP DEFAULT;

-- Who a device token belongs to: asked before the organization is known. Notes that it was used.
DROP FUNCTION device_token_owner(bytea);
CREATE FUNCTION device_token_owner(
    hash bytea, OUT organization_id integer, OUT device_id uuid, OUT token_id uuid, OUT expires_at timestamptz)
    RETURNS SETOF record LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH found AS (
        SELECT t.organization_id, t.device_id, t.id, t.expires_at, t.last_used_at
        FROM public.device_tokens t
        JOIN public.entities e ON e.organization_id = t.organization_id AND e.id = t.device_id
        WHERE t.token_hash = hash AND t.revoked_at IS NULL AND e.deleted_at IS NULL
            AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())
    ), used AS (
        -- A device that sends every second writes a row once an hour.
        UPDATE public.device_tokens t SET last_used_at = clock_timestamp() FROM found f
        WHERE t.organization_id = f.organization_id AND t.id = f.id
            AND (t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 hour')
    )
    SELECT f.organization_id, f.device_id, f.id, f.expires_at FROM found f
$$;

-- Which of these tokens are good no more: revoked, expired, or their device is deleted.
CREATE FUNCTION device_tokens_ended(organizations integer[], tokens uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id FROM unnest(organizations, tokens) AS u (organization_id, id)
    LEFT JOIN public.device_tokens t ON t.organization_id = u.organization_id AND t.id = u.id
    LEFT JOIN public.entities e ON e.organization_id = t.organization_id AND e.id = t.device_id
    WHERE e.id IS NULL OR e.deleted_at IS NOT NULL OR t.revoked_at IS NOT NULL OR t.expires_at <= clock_timestamp()
$$;

REVOKE ALL ON FUNCTION device_token_owner(bytea), device_tokens_ended(integer[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION device_token_owner(bytea), device_tokens_ended(integer[], uuid[]) TO argus_api;
