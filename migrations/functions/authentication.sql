-- Look-ups that happen before the organization is known, as the owner.

-- The organization that a user's token names by its slug.
CREATE OR REPLACE FUNCTION organization_by_slug(wanted text, OUT id integer, OUT public_id uuid, OUT name text)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.id, o.public_id, o.name FROM public.organizations o WHERE o.slug = wanted
$$;

-- The device to which a token belongs. Records that the token was used.
CREATE OR REPLACE FUNCTION device_token_owner(
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

-- Those of the given tokens that are no longer valid: revoked, expired, or their device is deleted.
CREATE OR REPLACE FUNCTION device_tokens_ended(organizations integer[], tokens uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id FROM unnest(organizations, tokens) AS u (organization_id, id)
    LEFT JOIN public.device_tokens t ON t.organization_id = u.organization_id AND t.id = u.id
    LEFT JOIN public.entities e ON e.organization_id = t.organization_id AND e.id = t.device_id
    WHERE e.id IS NULL OR e.deleted_at IS NOT NULL OR t.revoked_at IS NOT NULL OR t.expires_at <= clock_timestamp()
$$;

-- Ends of sessions after a number, of all organizations.
CREATE OR REPLACE FUNCTION sessions_ended_after(after bigint,
    OUT organization_id integer, OUT subject text, OUT ended_at timestamptz, OUT number bigint)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.organization_id, s.subject, s.ended_at, s.number FROM public.session_ends s WHERE s.number > after
$$;

-- The organization to which an API key belongs, and what the key is. Records that it was used.
CREATE OR REPLACE FUNCTION api_key_owner(
    hash bytea, OUT organization_id integer, OUT public_id uuid, OUT slug text, OUT organization text, OUT key_id uuid,
    OUT name text, OUT role text, OUT expires_at timestamptz, OUT under_ids uuid[])
    RETURNS SETOF record LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH found AS (
        SELECT k.organization_id, o.public_id, o.slug, o.name AS organization, k.id, k.name, k.role, k.expires_at,
            k.under_ids
        FROM public.api_keys k JOIN public.organizations o ON o.id = k.organization_id
        WHERE k.key_hash = hash AND k.revoked_at IS NULL
            AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
    ), used AS (
        -- A program that asks all the time writes a row once a minute.
        UPDATE public.api_keys k SET last_used_at = clock_timestamp() FROM found f
        WHERE k.organization_id = f.organization_id AND k.id = f.id
            AND (k.last_used_at IS NULL OR k.last_used_at < clock_timestamp() - interval '1 minute')
    )
    SELECT f.organization_id, f.public_id, f.slug, f.organization, f.id, f.name, f.role, f.expires_at,
        f.under_ids FROM found f
$$;

-- Those of the given API keys that are no longer valid: revoked or expired.
CREATE OR REPLACE FUNCTION api_keys_ended(organizations integer[], keys uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id FROM unnest(organizations, keys) AS u (organization_id, id)
    LEFT JOIN public.api_keys k ON k.organization_id = u.organization_id AND k.id = u.id
    WHERE k.id IS NULL OR k.revoked_at IS NOT NULL OR k.expires_at <= clock_timestamp()
$$;

REVOKE ALL ON FUNCTION organization_by_slug(text), device_token_owner(bytea),
    device_tokens_ended(integer[], uuid[]), api_key_owner(bytea), api_keys_ended(integer[], uuid[]),
    sessions_ended_after(bigint) FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION organization_by_slug(text), device_token_owner(bytea),
    device_tokens_ended(integer[], uuid[]), api_key_owner(bytea), api_keys_ended(integer[], uuid[]),
    sessions_ended_after(bigint) TO argus_api;
