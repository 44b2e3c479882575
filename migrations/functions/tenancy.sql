-- The organization of the transaction, and the access scope of its caller. Policies and column defaults may use what is
-- here: it needs no table, and is applied before the first one is created.

-- The organization that the transaction serves (SET argus.organization_id), NULL where none is set. Every policy asks
-- it.
CREATE OR REPLACE FUNCTION current_organization() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('argus.organization_id', true), '')::integer;

-- The entities that a confined caller may see and act on (graph/walk/scopes.py sets them), and those that its
-- transaction has created. Every policy of the role argus_scoped asks it; without the settings it is empty.
CREATE OR REPLACE FUNCTION current_scope() RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT unnest(nullif(current_setting('argus.scope', true), '')::uuid[])
    UNION ALL SELECT unnest(nullif(current_setting('argus.scope_created', true), '')::uuid[])
$$;

-- The entities whose readings it may see: the scope, and the devices that were ever linked to it, for what they measured
-- at the time is a part of its history.
CREATE OR REPLACE FUNCTION current_scope_sources() RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT current_scope()
    UNION ALL SELECT unnest(nullif(current_setting('argus.scope_sources', true), '')::uuid[])
$$;

-- Whether the caller is not confined. For functions of the owner, which no policy confines: they ask it once a statement.
CREATE OR REPLACE FUNCTION is_unscoped() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('argus.scope_roots', true), '') = '';
