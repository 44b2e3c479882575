-- The organization of the transaction. Policies and column defaults may use what is here: it needs no table, and is
-- applied before the first one is created.

-- The organization that the transaction serves (SET argus.organization_id), NULL where none is set. Every policy asks
-- it.
CREATE OR REPLACE FUNCTION current_organization() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('argus.organization_id', true), '')::integer;
