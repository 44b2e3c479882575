-- Formulas may be expressions over metrics, other derived metrics, attributes and areas. What has no value is told.

-- What wrote a series of an asset or a space: 'formula', or another part of the house. NULL: readings of a device.
ALTER TABLE series ADD COLUMN origin text;
UPDATE series s SET origin = 'formula' FROM entities e
WHERE e.organization_id = s.organization_id AND e.id = s.entity_id AND e.kind <> 'DEVICE';

-- The last instant at which a derived metric has no point although its inputs have, and why.
CREATE TABLE derivation_faults (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    metric text NOT NULL,
    last_at timestamptz NOT NULL,
    message text NOT NULL,
    CONSTRAINT pk_derivation_faults PRIMARY KEY (organization_id, entity_id, metric),
    CONSTRAINT fk_derivation_faults_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
ALTER TABLE derivation_faults ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON derivation_faults TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
GRANT SELECT ON derivation_faults TO argus_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON derivation_faults TO argus_pipeline;

ALTER TABLE dirty_windows DROP CONSTRAINT ck_dirty_windows_reason;
ALTER TABLE dirty_windows ADD CONSTRAINT ck_dirty_windows_reason CHECK (reason IN ('readings', 'link', 'schema', 'type',
    'replay', 'processor', 'shadow', 'attributes', 'area'));

-- Whether a formula of any version of a type's schema has this word in it: coarse, and never wrong the other way.
CREATE FUNCTION type_reads(organization integer, of_kind text, of_type text, word text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.entity_types t
        JOIN public.telemetry_schemas s ON s.organization_id = t.organization_id AND s.entity_type_id = t.id
        WHERE t.organization_id = organization AND t.kind = of_kind AND t.name = of_type
            AND strpos((s.schema -> 'derived')::text, word) > 0)
$$;

-- Attributes count from the instant at which they were recorded.
CREATE FUNCTION windows_of_attributes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF public.type_reads(NEW.organization_id, NEW.kind, NEW.type, 'attributes') THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        SELECT NEW.organization_id, NEW.id, c.last_recorded, '9999-01-01Z', 'attributes'
        FROM public.graph_clocks c WHERE c.organization_id = NEW.organization_id;
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_attributes AFTER UPDATE OF attributes ON entities
    FOR EACH ROW WHEN (OLD.attributes IS DISTINCT FROM NEW.attributes) EXECUTE FUNCTION windows_of_attributes();

-- A space that formulas may ask for got another area, or another external id, or went, or came: an area counts for all
-- time, for it is the space that is said to be there.
CREATE FUNCTION windows_of_area() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    noted bigint;
BEGIN
    WITH windows AS (
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        SELECT e.organization_id, e.id, '1970-01-01Z', '9999-01-01Z', 'area'
        FROM public.entity_types t
        JOIN public.entities e ON e.organization_id = t.organization_id AND e.kind = t.kind AND e.type = t.name
        WHERE t.organization_id = NEW.organization_id AND public.type_reads(t.organization_id, t.kind, t.name, 'inArea')
        RETURNING 1
    )
    SELECT count(*) INTO noted FROM windows;
    IF noted > 0 THEN
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_area_made AFTER INSERT ON entities
    FOR EACH ROW WHEN (NEW.kind = 'SPACE' AND NEW.geometry IS NOT NULL AND NEW.external_id IS NOT NULL)
    EXECUTE FUNCTION windows_of_area();
CREATE TRIGGER windows_of_area_changed AFTER UPDATE OF geometry, external_id, deleted_at ON entities
    FOR EACH ROW WHEN (NEW.kind = 'SPACE' AND (OLD.geometry, OLD.external_id, OLD.deleted_at)
        IS DISTINCT FROM (NEW.geometry, NEW.external_id, NEW.deleted_at))
    EXECUTE FUNCTION windows_of_area();

REVOKE ALL ON FUNCTION type_reads(integer, text, text, text), windows_of_attributes(), windows_of_area() FROM PUBLIC;
