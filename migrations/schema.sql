-- The schema of the database, from its catalogue by `make schema`: to be read and compared, not run.

TABLE activities ROW SECURITY
    category text NOT NULL
    checklist jsonb NOT NULL DEFAULT '[]'::jsonb
    due_at timestamp with time zone
    event_id uuid
    holds_place boolean NOT NULL DEFAULT false
    id uuid NOT NULL
    kind text NOT NULL GENERATED ALWAYS AS 'ACTIVITY'::text
    organization_id integer NOT NULL
    priority text NOT NULL
    rule_id uuid
    suggestion jsonb
    target_id uuid
    template_id uuid
    CONSTRAINT ck_activities_place CHECK (((NOT holds_place) OR ((rule_id IS NOT NULL) AND (target_id IS NOT NULL))))
    CONSTRAINT fk_activities_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities(organization_id, id, kind)
    CONSTRAINT fk_activities_template FOREIGN KEY (organization_id, template_id) REFERENCES activity_templates(organization_id, id)
    CONSTRAINT pk_activities PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_activities_event ON public.activities USING btree (organization_id, event_id) WHERE (event_id IS NOT NULL)
    CREATE INDEX ix_activities_rule ON public.activities USING btree (organization_id, rule_id, target_id) WHERE (rule_id IS NOT NULL)
    CREATE UNIQUE INDEX uq_activities_place ON public.activities USING btree (organization_id, rule_id, target_id) WHERE holds_place
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT INSERT, SELECT, UPDATE TO argus_scoped

TABLE activity_steps ROW SECURITY
    activity_id uuid NOT NULL
    actor text NOT NULL
    event_id uuid
    from_status text
    id uuid NOT NULL
    item_id text
    note text
    organization_id integer NOT NULL
    person_id uuid
    recorded_at timestamp with time zone NOT NULL
    step text NOT NULL
    to_status text
    CONSTRAINT ck_activity_steps_step CHECK ((step = ANY (ARRAY['CREATED'::text, 'MOVED'::text, 'ASSIGNED'::text, 'ITEM'::text, 'EVENT'::text, 'SUGGESTED'::text])))
    CONSTRAINT fk_activity_steps_activity FOREIGN KEY (organization_id, activity_id) REFERENCES activities(organization_id, id)
    CONSTRAINT pk_activity_steps PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_activity_steps_activity ON public.activity_steps USING btree (organization_id, activity_id, recorded_at, id)
    CREATE INDEX ix_activity_steps_event ON public.activity_steps USING btree (organization_id, event_id) WHERE (event_id IS NOT NULL)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (activity_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (activity_id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT TO argus_api
    GRANT INSERT, SELECT TO argus_pipeline
    GRANT INSERT, SELECT TO argus_scoped

TABLE activity_templates ROW SECURITY
    checklist jsonb NOT NULL DEFAULT '[]'::jsonb
    created_at timestamp with time zone NOT NULL
    default_assigned_role text
    default_priority text
    deleted_at timestamp with time zone
    description text
    due_in interval
    id uuid NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    type text
    updated_at timestamp with time zone NOT NULL
    CONSTRAINT fk_activity_templates_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_activity_templates PRIMARY KEY (organization_id, id)
    CREATE UNIQUE INDEX uq_activity_templates_name ON public.activity_templates USING btree (organization_id, name) WHERE (deleted_at IS NULL)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE api_keys ROW SECURITY
    created_at timestamp with time zone NOT NULL
    created_by text NOT NULL
    expires_at timestamp with time zone
    id uuid NOT NULL
    key_hash bytea NOT NULL
    last_used_at timestamp with time zone
    name text NOT NULL
    organization_id integer NOT NULL
    revoked_at timestamp with time zone
    role text NOT NULL
    under_ids uuid[]
    CONSTRAINT ck_api_keys_role CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'admin'::text])))
    CONSTRAINT fk_api_keys_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_api_keys PRIMARY KEY (organization_id, id)
    CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING false WITH CHECK false
    GRANT (revoked_at) UPDATE TO argus_api
    GRANT INSERT, SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE asset_profile_versions ROW SECURITY
    actor text NOT NULL
    content jsonb NOT NULL
    effective_from timestamp with time zone NOT NULL
    number integer NOT NULL
    organization_id integer NOT NULL
    profile_id uuid NOT NULL
    recorded_at timestamp with time zone NOT NULL
    CONSTRAINT ck_asset_profile_versions_number CHECK ((number >= 1))
    CONSTRAINT fk_asset_profile_versions_profile FOREIGN KEY (organization_id, profile_id) REFERENCES asset_profiles(organization_id, id)
    CONSTRAINT pk_asset_profile_versions PRIMARY KEY (organization_id, profile_id, number)
    CREATE TRIGGER invalidate_on_profile_version AFTER INSERT ON public.asset_profile_versions FOR EACH ROW EXECUTE FUNCTION invalidate_on_profile_version()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE asset_profiles ROW SECURITY
    created_at timestamp with time zone NOT NULL
    deleted_at timestamp with time zone
    id uuid NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    type text
    updated_at timestamp with time zone NOT NULL
    CONSTRAINT fk_asset_profiles_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_asset_profiles PRIMARY KEY (organization_id, id)
    CREATE UNIQUE INDEX uq_asset_profiles_name ON public.asset_profiles USING btree (organization_id, name) WHERE (deleted_at IS NULL)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE assets ROW SECURITY
    id uuid NOT NULL
    kind text NOT NULL GENERATED ALWAYS AS 'ASSET'::text
    organization_id integer NOT NULL
    profile_id uuid
    CONSTRAINT fk_assets_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities(organization_id, id, kind)
    CONSTRAINT fk_assets_profile FOREIGN KEY (organization_id, profile_id) REFERENCES asset_profiles(organization_id, id)
    CONSTRAINT pk_assets PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_assets_profile ON public.assets USING btree (organization_id, profile_id, id) WHERE (profile_id IS NOT NULL)
    CREATE TRIGGER invalidate_on_profile_assignment AFTER UPDATE OF profile_id ON public.assets FOR EACH ROW WHEN ((old.profile_id IS DISTINCT FROM new.profile_id)) EXECUTE FUNCTION invalidate_on_profile_assignment()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT INSERT, SELECT, UPDATE TO argus_scoped
    GRANT SELECT TO argus_pipeline

TABLE changes ROW SECURITY
    action text NOT NULL
    actor text NOT NULL
    after jsonb
    before jsonb
    id uuid NOT NULL
    organization_id integer NOT NULL
    reason text
    recorded_at timestamp with time zone NOT NULL
    subject_id uuid NOT NULL
    subject_type text NOT NULL
    CONSTRAINT fk_changes_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_changes PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_changes_recorded_at ON public.changes USING btree (organization_id, recorded_at, id)
    CREATE INDEX ix_changes_subject ON public.changes USING btree (organization_id, subject_id, recorded_at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR SELECT TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND ((subject_id IN ( SELECT current_scope() AS current_scope)) OR ((subject_type = 'edge'::text) AND (EXISTS ( SELECT FROM entity_edges e WHERE ((e.organization_id = changes.organization_id) AND (e.edge_id = changes.subject_id))))) OR ((subject_type = 'event'::text) AND (EXISTS ( SELECT FROM events v WHERE ((v.organization_id = changes.organization_id) AND (v.id = changes.subject_id)))))))
    POLICY scope_writes PERMISSIVE FOR INSERT TO argus_scoped WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT TO argus_api
    GRANT INSERT, SELECT TO argus_pipeline
    GRANT INSERT, SELECT TO argus_scoped

TABLE convergence_checks ROW SECURITY
    checks bigint NOT NULL DEFAULT 0
    differences bigint NOT NULL DEFAULT 0
    of text NOT NULL
    organization_id integer NOT NULL
    skipped bigint NOT NULL DEFAULT 0
    CONSTRAINT ck_convergence_checks_of CHECK ((of = ANY (ARRAY['derived'::text, 'events'::text, 'states'::text, 'rollups'::text, 'health'::text])))
    CONSTRAINT fk_convergence_checks_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_convergence_checks PRIMARY KEY (organization_id, of)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline

TABLE convergence_differences ROW SECURITY
    at timestamp with time zone NOT NULL
    computed text
    entity_id uuid NOT NULL
    found_at timestamp with time zone NOT NULL
    of text NOT NULL
    organization_id integer NOT NULL
    repaired_at timestamp with time zone
    seen_at timestamp with time zone NOT NULL
    since timestamp with time zone NOT NULL
    stored text
    subject text NOT NULL
    CONSTRAINT ck_convergence_differences_of CHECK ((of = ANY (ARRAY['derived'::text, 'events'::text, 'states'::text, 'rollups'::text, 'health'::text])))
    CONSTRAINT fk_convergence_differences_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_convergence_differences PRIMARY KEY (organization_id, of, entity_id, subject, at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline

TABLE convergence_progress ROW SECURITY
    last_entity_id uuid
    organization_id integer NOT NULL
    CONSTRAINT fk_convergence_progress_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_convergence_progress PRIMARY KEY (organization_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline

TABLE dead_letters ROW SECURITY
    attempts integer NOT NULL
    code text NOT NULL
    device_id uuid NOT NULL
    discarded_at timestamp with time zone
    discarded_by text
    failed_at timestamp with time zone NOT NULL
    id uuid NOT NULL
    message text NOT NULL
    metric text
    organization_id integer NOT NULL
    payload json NOT NULL
    raw_id bigint NOT NULL
    received_at timestamp with time zone NOT NULL
    resolved_at timestamp with time zone
    stage text NOT NULL
    CONSTRAINT fk_dead_letters_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_dead_letters PRIMARY KEY (organization_id, id)
    CONSTRAINT uq_dead_letters_reading UNIQUE NULLS NOT DISTINCT (organization_id, raw_id, stage, metric)
    CREATE INDEX ix_dead_letters_received_at ON public.dead_letters USING btree (organization_id, received_at, id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (device_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (device_id IN ( SELECT current_scope() AS current_scope)))
    GRANT (discarded_at) UPDATE TO argus_api
    GRANT (discarded_at) UPDATE TO argus_scoped
    GRANT (discarded_by) UPDATE TO argus_api
    GRANT (discarded_by) UPDATE TO argus_scoped
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE derivation_faults ROW SECURITY
    entity_id uuid NOT NULL
    last_at timestamp with time zone NOT NULL
    message text NOT NULL
    metric text NOT NULL
    organization_id integer NOT NULL
    CONSTRAINT fk_derivation_faults_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_derivation_faults PRIMARY KEY (organization_id, entity_id, metric)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope)))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE derived_commits ROW SECURITY
    begins timestamp with time zone[] NOT NULL
    committed_at timestamp with time zone NOT NULL
    corrects boolean NOT NULL
    ends timestamp with time zone[] NOT NULL
    organization_id integer NOT NULL
    partition smallint NOT NULL
    position bigint NOT NULL
    series_ids bigint[] NOT NULL
    CONSTRAINT fk_derived_commits_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_derived_commits PRIMARY KEY (organization_id, partition, "position")
    CREATE INDEX ix_derived_commits_committed_at ON public.derived_commits USING btree (organization_id, committed_at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT TO argus_pipeline
    GRANT SELECT TO argus_api

TABLE device_presence ROW SECURITY
    device_id uuid NOT NULL
    last_seen_at timestamp with time zone NOT NULL
    organization_id integer NOT NULL
    CONSTRAINT fk_device_presence_device FOREIGN KEY (organization_id, device_id) REFERENCES devices(organization_id, id)
    CONSTRAINT pk_device_presence PRIMARY KEY (organization_id, device_id)
    CREATE INDEX ix_device_presence_last_seen_at ON public.device_presence USING btree (organization_id, last_seen_at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (device_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (device_id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE device_tokens ROW SECURITY
    created_at timestamp with time zone NOT NULL
    device_id uuid NOT NULL
    expires_at timestamp with time zone
    id uuid NOT NULL
    issued_by text NOT NULL
    last_used_at timestamp with time zone
    organization_id integer NOT NULL
    revoked_at timestamp with time zone
    token_hash bytea NOT NULL
    CONSTRAINT fk_device_tokens_device FOREIGN KEY (organization_id, device_id) REFERENCES devices(organization_id, id)
    CONSTRAINT pk_device_tokens PRIMARY KEY (organization_id, id)
    CONSTRAINT uq_device_tokens_token_hash UNIQUE (token_hash)
    CREATE INDEX ix_device_tokens_device ON public.device_tokens USING btree (organization_id, device_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (device_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (device_id IN ( SELECT current_scope() AS current_scope)))
    GRANT (revoked_at) UPDATE TO argus_api
    GRANT (revoked_at) UPDATE TO argus_scoped
    GRANT INSERT, SELECT TO argus_api
    GRANT INSERT, SELECT TO argus_scoped

TABLE devices ROW SECURITY
    firmware_version text
    id uuid NOT NULL
    kind text NOT NULL GENERATED ALWAYS AS 'DEVICE'::text
    organization_id integer NOT NULL
    CONSTRAINT fk_devices_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities(organization_id, id, kind)
    CONSTRAINT pk_devices PRIMARY KEY (organization_id, id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT INSERT, SELECT, UPDATE TO argus_scoped
    GRANT SELECT TO argus_pipeline

TABLE dirty_buckets ROW SECURITY
    begins timestamp with time zone NOT NULL
    computation text NOT NULL
    computation_id uuid NOT NULL
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
    ends timestamp with time zone NOT NULL
    entity_id uuid NOT NULL
    generation bigint NOT NULL
    organization_id integer NOT NULL
    CONSTRAINT ck_dirty_buckets_computation CHECK ((computation = ANY (ARRAY['ROLLUP'::text, 'HEALTH'::text, 'HEALTH_PROPAGATION'::text])))
    CONSTRAINT ck_dirty_buckets_span CHECK ((begins < ends))
    CONSTRAINT fk_dirty_buckets_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_dirty_buckets PRIMARY KEY (organization_id, entity_id, computation, computation_id, begins, generation)
    CREATE INDEX ix_dirty_buckets_created_at ON public.dirty_buckets USING btree (organization_id, created_at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope)))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_scoped

TABLE dirty_hours ROW SECURITY
    hour timestamp with time zone NOT NULL
    invalidated_at timestamp with time zone NOT NULL
    organization_id integer NOT NULL
    series_id bigint NOT NULL
    CONSTRAINT fk_dirty_hours_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_dirty_hours PRIMARY KEY (organization_id, series_id, hour)
    CREATE INDEX ix_dirty_hours_invalidated_at ON public.dirty_hours USING btree (organization_id, invalidated_at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (series_id IN ( SELECT s.id FROM series s WHERE ((s.organization_id = ( SELECT current_organization() AS current_organization)) AND (s.entity_id = ANY (ARRAY( SELECT current_scope_sources() AS current_scope_sources))))))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (series_id IN ( SELECT s.id FROM series s WHERE ((s.organization_id = ( SELECT current_organization() AS current_organization)) AND (s.entity_id = ANY (ARRAY( SELECT current_scope_sources() AS current_scope_sources)))))))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE dirty_windows ROW SECURITY
    batch_id bigint
    begins timestamp with time zone NOT NULL
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
    ends timestamp with time zone NOT NULL
    entity_id uuid NOT NULL
    id bigint NOT NULL ALWAYS AS IDENTITY
    organization_id integer NOT NULL
    reason text NOT NULL
    slot integer NOT NULL GENERATED ALWAYS AS ((get_byte(uuid_send(entity_id), 14) * 256) + get_byte(uuid_send(entity_id), 15))
    CONSTRAINT ck_dirty_windows_reason CHECK ((reason = ANY (ARRAY['readings'::text, 'link'::text, 'schema'::text, 'type'::text, 'replay'::text, 'processor'::text, 'shadow'::text, 'attributes'::text, 'hierarchy'::text, 'membership'::text, 'rollup'::text, 'rule'::text, 'timer'::text, 'profile'::text, 'area'::text, 'health'::text, 'repair'::text])))
    CONSTRAINT ck_dirty_windows_span CHECK ((begins < ends))
    CONSTRAINT fk_dirty_windows_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_dirty_windows PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_dirty_windows_entity ON public.dirty_windows USING btree (organization_id, entity_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope)))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE entities ROW SECURITY
    attributes jsonb NOT NULL DEFAULT '{}'::jsonb
    bounds box
    created_at timestamp with time zone NOT NULL
    deleted_at timestamp with time zone
    external_id text
    geometry bytea
    id uuid NOT NULL
    kind text NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    status text NOT NULL
    type text
    updated_at timestamp with time zone NOT NULL
    CONSTRAINT ck_entities_geometry CHECK (((geometry IS NULL) = (bounds IS NULL)))
    CONSTRAINT ck_entities_kind CHECK ((kind = ANY (ARRAY['DEVICE'::text, 'ASSET'::text, 'SPACE'::text, 'PERSON'::text, 'ACTIVITY'::text])))
    CONSTRAINT fk_entities_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT fk_entities_type FOREIGN KEY (organization_id, kind, type) REFERENCES entity_types(organization_id, kind, name) ON UPDATE CASCADE
    CONSTRAINT pk_entities PRIMARY KEY (organization_id, id)
    CONSTRAINT uq_entities_id_kind UNIQUE (organization_id, id, kind)
    CREATE INDEX ix_entities_bounds ON public.entities USING gist (organization_id, bounds) WHERE (bounds IS NOT NULL)
    CREATE INDEX ix_entities_created_at ON public.entities USING btree (organization_id, kind, created_at, id) WHERE (deleted_at IS NULL)
    CREATE INDEX ix_entities_deleted ON public.entities USING btree (organization_id, kind, name, id) WHERE (deleted_at IS NOT NULL)
    CREATE INDEX ix_entities_name ON public.entities USING btree (organization_id, kind, name, id) WHERE (deleted_at IS NULL)
    CREATE INDEX ix_entities_name_parts ON public.entities USING gin (organization_id, text_folded(name) gin_trgm_ops, text_folded(external_id) gin_trgm_ops) WHERE (deleted_at IS NULL)
    CREATE INDEX ix_entities_type ON public.entities USING btree (organization_id, type, kind) WHERE (type IS NOT NULL)
    CREATE INDEX ix_entities_updated_at ON public.entities USING btree (organization_id, kind, updated_at, id) WHERE (deleted_at IS NULL)
    CREATE UNIQUE INDEX uq_entities_external_id ON public.entities USING btree (organization_id, kind, external_id) WHERE ((external_id IS NOT NULL) AND (deleted_at IS NULL))
    CREATE TRIGGER activity_place AFTER UPDATE OF status, deleted_at ON public.entities FOR EACH ROW WHEN ((new.kind = 'ACTIVITY'::text)) EXECUTE FUNCTION activity_place()
    CREATE TRIGGER invalidate_on_area_changed AFTER UPDATE OF geometry, external_id, deleted_at ON public.entities FOR EACH ROW WHEN (((new.kind = 'SPACE'::text) AND (((old.geometry IS DISTINCT FROM new.geometry) OR (old.external_id IS DISTINCT FROM new.external_id)) OR (old.deleted_at IS DISTINCT FROM new.deleted_at)))) EXECUTE FUNCTION invalidate_on_area()
    CREATE TRIGGER invalidate_on_area_created AFTER INSERT ON public.entities FOR EACH ROW WHEN (((new.kind = 'SPACE'::text) AND (new.geometry IS NOT NULL) AND (new.external_id IS NOT NULL))) EXECUTE FUNCTION invalidate_on_area()
    CREATE TRIGGER invalidate_on_attributes AFTER UPDATE OF attributes ON public.entities FOR EACH ROW WHEN ((old.attributes IS DISTINCT FROM new.attributes)) EXECUTE FUNCTION invalidate_on_attributes()
    CREATE TRIGGER invalidate_on_creation AFTER INSERT ON public.entities FOR EACH ROW WHEN ((new.kind = ANY (ARRAY['DEVICE'::text, 'ASSET'::text, 'SPACE'::text]))) EXECUTE FUNCTION invalidate_on_creation()
    CREATE TRIGGER invalidate_on_deletion AFTER UPDATE OF deleted_at ON public.entities FOR EACH ROW WHEN (((old.deleted_at IS DISTINCT FROM new.deleted_at) AND (new.kind = ANY (ARRAY['DEVICE'::text, 'ASSET'::text, 'SPACE'::text])))) EXECUTE FUNCTION invalidate_on_deletion()
    CREATE TRIGGER invalidate_on_membership AFTER UPDATE OF type, attributes ON public.entities FOR EACH ROW WHEN (((old.type IS DISTINCT FROM new.type) OR (old.attributes IS DISTINCT FROM new.attributes))) EXECUTE FUNCTION invalidate_on_membership()
    CREATE TRIGGER invalidate_on_type AFTER UPDATE OF type ON public.entities FOR EACH ROW WHEN ((old.type IS DISTINCT FROM new.type)) EXECUTE FUNCTION invalidate_on_type()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT INSERT, SELECT, UPDATE TO argus_scoped

TABLE entity_edges ROW SECURITY
    edge_id uuid NOT NULL
    exclusive boolean NOT NULL DEFAULT false
    id uuid NOT NULL
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb
    organization_id integer NOT NULL
    place text
    port integer
    recorded tstzrange NOT NULL
    relationship text NOT NULL
    source_id uuid NOT NULL
    source_kind text NOT NULL
    target_id uuid NOT NULL
    target_kind text NOT NULL
    valid tstzrange NOT NULL
    CONSTRAINT ck_entity_edges_exclusive CHECK (((place IS NOT NULL) OR (NOT exclusive)))
    CONSTRAINT ck_entity_edges_no_loop CHECK ((source_id <> target_id))
    CONSTRAINT ck_entity_edges_port CHECK ((port >= 0))
    CONSTRAINT ck_entity_edges_recorded CHECK (((NOT isempty(recorded)) AND (NOT lower_inf(recorded)) AND lower_inc(recorded) AND (NOT upper_inc(recorded))))
    CONSTRAINT ck_entity_edges_valid CHECK (((NOT isempty(valid)) AND (NOT lower_inf(valid)) AND lower_inc(valid) AND (NOT upper_inc(valid))))
    CONSTRAINT ex_entity_edges_believed EXCLUDE USING gist (organization_id WITH =, source_id WITH =, target_id WITH =, relationship WITH =, COALESCE(port, '-1'::integer) WITH =, valid WITH &&) WHERE ((upper(recorded) IS NULL))
    CONSTRAINT ex_entity_edges_exclusive EXCLUDE USING gist (organization_id WITH =, place WITH =, valid WITH &&) WHERE ((upper_inf(recorded) AND exclusive))
    CONSTRAINT ex_entity_edges_shared EXCLUDE USING gist (organization_id WITH =, place WITH =, ((exclusive)::integer) WITH <>, valid WITH &&) WHERE ((upper_inf(recorded) AND (place IS NOT NULL)))
    CONSTRAINT ex_entity_edges_version EXCLUDE USING gist (organization_id WITH =, edge_id WITH =, recorded WITH &&)
    CONSTRAINT fk_entity_edges_relationship FOREIGN KEY (organization_id, relationship) REFERENCES relationships(organization_id, name)
    CONSTRAINT fk_entity_edges_source FOREIGN KEY (organization_id, source_id, source_kind) REFERENCES entities(organization_id, id, kind)
    CONSTRAINT fk_entity_edges_target FOREIGN KEY (organization_id, target_id, target_kind) REFERENCES entities(organization_id, id, kind)
    CONSTRAINT pk_entity_edges PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_entity_edges_closed ON public.entity_edges USING btree (organization_id, upper(recorded)) WHERE (upper(recorded) IS NOT NULL)
    CREATE INDEX ix_entity_edges_recorded ON public.entity_edges USING btree (organization_id, lower(recorded))
    CREATE INDEX ix_entity_edges_renaming ON public.entity_edges USING btree (organization_id) WHERE (jsonb_typeof((metadata -> 'metrics_mapping'::text)) = 'object'::text)
    CREATE INDEX ix_entity_edges_source ON public.entity_edges USING btree (organization_id, source_id, relationship)
    CREATE INDEX ix_entity_edges_target ON public.entity_edges USING btree (organization_id, target_id, relationship)
    CREATE CONSTRAINT TRIGGER invalidate_on_hierarchy AFTER INSERT OR UPDATE OF recorded ON public.entity_edges DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invalidate_on_hierarchy()
    CREATE CONSTRAINT TRIGGER invalidate_on_link AFTER INSERT OR UPDATE OF recorded ON public.entity_edges DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.relationship = ANY (ARRAY['MONITORED_BY'::text, 'CONTROLLED_BY'::text]))) EXECUTE FUNCTION invalidate_on_link()
    CREATE CONSTRAINT TRIGGER invalidate_suppression_on_edge AFTER INSERT OR UPDATE OF recorded ON public.entity_edges DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invalidate_suppression_on_edge()
    POLICY last_change_only RESTRICTIVE FOR DELETE TO argus_api, argus_pipeline, argus_scoped USING (lower(recorded) = ( SELECT c.last_recorded FROM graph_clocks c WHERE (c.organization_id = ( SELECT current_organization() AS current_organization))))
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (source_id IN ( SELECT current_scope() AS current_scope)) AND (target_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (source_id IN ( SELECT current_scope() AS current_scope)) AND (target_id IN ( SELECT current_scope() AS current_scope)))
    GRANT (recorded) UPDATE TO argus_api
    GRANT (recorded) UPDATE TO argus_pipeline
    GRANT (recorded) UPDATE TO argus_scoped
    GRANT DELETE, INSERT, SELECT TO argus_api
    GRANT DELETE, INSERT, SELECT TO argus_pipeline
    GRANT DELETE, INSERT, SELECT TO argus_scoped

TABLE entity_types ROW SECURITY
    attributes jsonb NOT NULL DEFAULT '{}'::jsonb
    created_at timestamp with time zone NOT NULL
    description text
    id uuid NOT NULL
    kind text NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    updated_at timestamp with time zone NOT NULL
    CONSTRAINT ck_entity_types_kind CHECK ((kind = ANY (ARRAY['DEVICE'::text, 'ASSET'::text, 'SPACE'::text, 'PERSON'::text, 'ACTIVITY'::text])))
    CONSTRAINT fk_entity_types_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_entity_types PRIMARY KEY (organization_id, id)
    CONSTRAINT uq_entity_types_kind_name UNIQUE (organization_id, kind, name)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_api
    GRANT INSERT, SELECT TO argus_pipeline
    GRANT INSERT, SELECT TO argus_scoped

TABLE erasures ROW SECURITY
    entity_id uuid
    finished_at timestamp with time zone
    id uuid NOT NULL
    kind text NOT NULL
    names text[]
    organization_id integer NOT NULL
    requested_at timestamp with time zone NOT NULL
    trail_at timestamp with time zone
    trail_id uuid
    CONSTRAINT ck_erasures_finished CHECK ((((finished_at IS NULL) = (entity_id IS NOT NULL)) AND ((entity_id IS NULL) = (names IS NULL))))
    CONSTRAINT fk_erasures_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_erasures PRIMARY KEY (organization_id, id)
    CREATE UNIQUE INDEX uq_erasures_entity ON public.erasures USING btree (organization_id, entity_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    GRANT INSERT, SELECT TO argus_api
    GRANT SELECT TO argus_pipeline

TABLE event_annotations ROW SECURITY
    actor text NOT NULL
    at timestamp with time zone NOT NULL
    event_id uuid NOT NULL
    id uuid NOT NULL
    kind text NOT NULL
    note text
    organization_id integer NOT NULL
    CONSTRAINT ck_event_annotations_kind CHECK ((kind = ANY (ARRAY['ACKNOWLEDGED'::text, 'DISMISSED'::text, 'COMMENT'::text])))
    CONSTRAINT fk_event_annotations_event FOREIGN KEY (organization_id, event_id) REFERENCES events(organization_id, id)
    CONSTRAINT pk_event_annotations PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_event_annotations_event ON public.event_annotations USING btree (organization_id, event_id, at)
    CREATE TRIGGER log_event_updates_on_annotation AFTER INSERT ON public.event_annotations REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION log_event_updates()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (EXISTS ( SELECT FROM events v WHERE ((v.organization_id = event_annotations.organization_id) AND (v.id = event_annotations.event_id))))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (EXISTS ( SELECT FROM events v WHERE ((v.organization_id = event_annotations.organization_id) AND (v.id = event_annotations.event_id)))))
    GRANT INSERT, SELECT TO argus_api
    GRANT INSERT, SELECT TO argus_scoped
    GRANT SELECT TO argus_pipeline

TABLE event_changes ROW SECURITY
    at timestamp with time zone NOT NULL
    due_at timestamp with time zone
    event_id uuid NOT NULL
    id bigint NOT NULL ALWAYS AS IDENTITY
    kind text NOT NULL
    organization_id integer NOT NULL
    processed_at timestamp with time zone
    recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
    side_effects_disabled boolean NOT NULL
    CONSTRAINT ck_event_changes_kind CHECK ((kind = ANY (ARRAY['OPENED'::text, 'CLEARED'::text, 'REOPENED'::text, 'CORRECTED'::text, 'WITHDRAWN'::text, 'ESCALATED'::text, 'DEESCALATED'::text])))
    CONSTRAINT fk_event_changes_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_event_changes PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_event_changes_waiting ON public.event_changes USING btree (recorded_at) WHERE (processed_at IS NULL)
    CREATE TRIGGER log_event_updates_on_change AFTER INSERT ON public.event_changes REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION log_event_updates()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (EXISTS ( SELECT FROM events v WHERE ((v.organization_id = event_changes.organization_id) AND (v.id = event_changes.event_id))))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (EXISTS ( SELECT FROM events v WHERE ((v.organization_id = event_changes.organization_id) AND (v.id = event_changes.event_id)))))
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE event_corrections ROW SECURITY
    after jsonb NOT NULL
    before jsonb NOT NULL
    event_id uuid NOT NULL
    id bigint NOT NULL ALWAYS AS IDENTITY
    organization_id integer NOT NULL
    recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
    CONSTRAINT fk_event_corrections_event FOREIGN KEY (organization_id, event_id) REFERENCES events(organization_id, id)
    CONSTRAINT pk_event_corrections PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_event_corrections_event ON public.event_corrections USING btree (organization_id, event_id, id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (EXISTS ( SELECT FROM events v WHERE ((v.organization_id = event_corrections.organization_id) AND (v.id = event_corrections.event_id))))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (EXISTS ( SELECT FROM events v WHERE ((v.organization_id = event_corrections.organization_id) AND (v.id = event_corrections.event_id)))))
    GRANT INSERT, SELECT TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE event_notification_states ROW SECURITY
    event_id uuid NOT NULL
    organization_id integer NOT NULL
    sequence integer NOT NULL
    severity text NOT NULL
    state text NOT NULL
    url text NOT NULL
    CONSTRAINT ck_event_notification_states_state CHECK ((state = ANY (ARRAY['OPEN'::text, 'CLEARED'::text, 'WITHDRAWN'::text])))
    CONSTRAINT fk_event_notification_states_event FOREIGN KEY (organization_id, event_id) REFERENCES events(organization_id, id)
    CONSTRAINT pk_event_notification_states PRIMARY KEY (organization_id, event_id, url)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline

TABLE event_updates ROW SECURITY
    cluster bigint NOT NULL
    event_id uuid NOT NULL
    id bigint NOT NULL ALWAYS AS IDENTITY
    organization_id integer NOT NULL
    recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id()
    what text NOT NULL
    CONSTRAINT pk_event_updates PRIMARY KEY (organization_id, transaction, id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT SELECT TO argus_api

TABLE events ROW SECURITY
    began_at timestamp with time zone NOT NULL
    cleared_at timestamp with time zone
    cleared_reason text
    detected_at timestamp with time zone NOT NULL
    entity_id uuid NOT NULL
    flaps integer NOT NULL
    id uuid NOT NULL
    key text NOT NULL
    opened_at timestamp with time zone NOT NULL
    opening_processed_at timestamp with time zone
    organization_id integer NOT NULL
    rule_id uuid NOT NULL
    severity text NOT NULL
    suppressed_until timestamp with time zone
    value double precision
    version_id uuid NOT NULL
    withdrawn_at timestamp with time zone
    CONSTRAINT ck_events_cleared CHECK (((cleared_at IS NULL) = (cleared_reason IS NULL)))
    CONSTRAINT fk_events_rule FOREIGN KEY (organization_id, rule_id) REFERENCES rules(organization_id, id)
    CONSTRAINT pk_events PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_events_entity ON public.events USING btree (organization_id, entity_id, rule_id, key, opened_at)
    CREATE INDEX ix_events_open ON public.events USING btree (organization_id, entity_id) WHERE ((cleared_at IS NULL) AND (withdrawn_at IS NULL))
    CREATE INDEX ix_events_opened ON public.events USING btree (organization_id, opened_at, id)
    CREATE INDEX ix_events_rule ON public.events USING btree (organization_id, rule_id, opened_at) WHERE (withdrawn_at IS NULL)
    CREATE INDEX ix_events_suppressed ON public.events USING btree (organization_id, suppressed_until) WHERE (suppressed_until IS NOT NULL)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE failed_items ROW SECURITY
    due_at timestamp with time zone
    first_failed_at timestamp with time zone NOT NULL
    holds text NOT NULL
    id uuid NOT NULL
    item text NOT NULL
    last_failed_at timestamp with time zone NOT NULL
    organization_id integer
    queue text NOT NULL
    reason text NOT NULL
    resolved_at timestamp with time zone
    tries integer NOT NULL
    CONSTRAINT fk_failed_items_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_failed_items PRIMARY KEY (id)
    CONSTRAINT uq_failed_items_item UNIQUE NULLS NOT DISTINCT (organization_id, queue, item)
    CREATE INDEX ix_failed_items_last_failed_at ON public.failed_items USING btree (organization_id, last_failed_at, id)
    CREATE INDEX ix_failed_items_open ON public.failed_items USING btree (queue, organization_id, holds) WHERE (resolved_at IS NULL)
    POLICY installation_items PERMISSIVE FOR ALL TO argus_pipeline USING (organization_id IS NULL) WITH CHECK (organization_id IS NULL)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    GRANT (due_at) UPDATE TO argus_api
    GRANT (tries) UPDATE TO argus_api
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api

TABLE feature_flags ROW SECURITY
    id uuid NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    updated_at timestamp with time zone NOT NULL
    updated_by text NOT NULL
    value jsonb NOT NULL
    CONSTRAINT fk_feature_flags_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_feature_flags PRIMARY KEY (organization_id, name)
    CREATE TRIGGER shadow_restart AFTER INSERT OR UPDATE ON public.feature_flags FOR EACH ROW WHEN ((new.name = 'derive.shadow'::text)) EXECUTE FUNCTION shadow_restart()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE graph_clocks ROW SECURITY
    derivation_revision bigint NOT NULL DEFAULT 0
    input_revision bigint NOT NULL DEFAULT 0
    last_recorded timestamp with time zone NOT NULL
    organization_id integer NOT NULL
    revision bigint NOT NULL
    CONSTRAINT fk_graph_clocks_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_graph_clocks PRIMARY KEY (organization_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT (input_revision) UPDATE TO argus_api
    GRANT (input_revision) UPDATE TO argus_pipeline
    GRANT (input_revision) UPDATE TO argus_scoped
    GRANT (last_recorded) UPDATE TO argus_api
    GRANT (last_recorded) UPDATE TO argus_pipeline
    GRANT (last_recorded) UPDATE TO argus_scoped
    GRANT (revision) UPDATE TO argus_api
    GRANT (revision) UPDATE TO argus_pipeline
    GRANT (revision) UPDATE TO argus_scoped
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE group_members ROW SECURITY
    entity_id uuid NOT NULL
    group_id uuid NOT NULL
    organization_id integer NOT NULL
    valid tstzmultirange NOT NULL
    CONSTRAINT ck_group_members_valid CHECK (((NOT isempty(valid)) AND (NOT lower_inf(valid)) AND lower_inc(valid) AND (NOT upper_inc(valid))))
    CONSTRAINT fk_group_members_entity FOREIGN KEY (organization_id, entity_id) REFERENCES entities(organization_id, id)
    CONSTRAINT fk_group_members_group FOREIGN KEY (organization_id, group_id) REFERENCES groups(organization_id, id)
    CONSTRAINT pk_group_members PRIMARY KEY (organization_id, group_id, entity_id)
    CREATE INDEX ix_group_members_entity ON public.group_members USING btree (organization_id, entity_id)
    CREATE TRIGGER invalidate_on_group_member AFTER INSERT OR DELETE OR UPDATE ON public.group_members FOR EACH ROW EXECUTE FUNCTION invalidate_on_group_member()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope)))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE groups ROW SECURITY
    created_at timestamp with time zone NOT NULL
    deleted_at timestamp with time zone
    description text
    entity_ids uuid[] NOT NULL DEFAULT '{}'::uuid[]
    filter jsonb
    group_ids uuid[] NOT NULL DEFAULT '{}'::uuid[]
    id uuid NOT NULL
    kind text NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    updated_at timestamp with time zone NOT NULL
    CONSTRAINT ck_groups_filter CHECK (((kind = 'DYNAMIC'::text) = (filter IS NOT NULL)))
    CONSTRAINT ck_groups_kind CHECK ((kind = ANY (ARRAY['STATIC'::text, 'DYNAMIC'::text])))
    CONSTRAINT fk_groups_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_groups PRIMARY KEY (organization_id, id)
    CREATE UNIQUE INDEX uq_groups_name ON public.groups USING btree (organization_id, name) WHERE (deleted_at IS NULL)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT groups_of_scope() AS groups_of_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT groups_of_scope() AS groups_of_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE health_measured ROW SECURITY
    entity_id uuid NOT NULL
    organization_id integer NOT NULL
    since timestamp with time zone NOT NULL
    CONSTRAINT fk_health_measured_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_health_measured PRIMARY KEY (organization_id, entity_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline

TABLE health_timers ROW SECURITY
    due_at timestamp with time zone NOT NULL
    entity_id uuid NOT NULL
    organization_id integer NOT NULL
    CONSTRAINT fk_health_timers_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_health_timers PRIMARY KEY (organization_id, entity_id, due_at)
    CREATE INDEX ix_health_timers_due_at ON public.health_timers USING btree (organization_id, due_at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    GRANT DELETE, INSERT, SELECT TO argus_pipeline

TABLE history_retention ROW SECURITY
    dropped_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone
    is_only boolean NOT NULL DEFAULT true
    retained_from timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone
    CONSTRAINT ck_history_retention_only CHECK (is_only)
    CONSTRAINT pk_history_retention PRIMARY KEY (is_only)

TABLE hours_progress ROW SECURITY
    final_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone
    next timestamp with time zone
    organization_id integer NOT NULL
    series_id bigint
    until timestamp with time zone NOT NULL
    CONSTRAINT fk_hours_progress_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_hours_progress PRIMARY KEY (organization_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE ingest_accounting WITH (fillfactor=50) ROW SECURITY
    begins timestamp with time zone NOT NULL
    dead bigint NOT NULL
    duplicate bigint NOT NULL
    organization_id integer NOT NULL
    partition smallint NOT NULL
    stored bigint NOT NULL
    width smallint NOT NULL
    CONSTRAINT ck_ingest_accounting_width CHECK ((width = ANY (ARRAY[60, 3600])))
    CONSTRAINT fk_ingest_accounting_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_ingest_accounting PRIMARY KEY (organization_id, width, begins, partition)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT SELECT TO argus_api

TABLE latest_values WITH (fillfactor=50) ROW SECURITY
    organization_id integer NOT NULL
    raw_id bigint NOT NULL
    received_at timestamp with time zone
    series_id bigint NOT NULL
    text text
    timestamp timestamp with time zone NOT NULL
    type smallint NOT NULL
    value double precision
    CONSTRAINT fk_latest_values_series FOREIGN KEY (organization_id, series_id) REFERENCES series(organization_id, id)
    CONSTRAINT pk_latest_values PRIMARY KEY (organization_id, series_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (series_id IN ( SELECT s.id FROM series s WHERE ((s.organization_id = ( SELECT current_organization() AS current_organization)) AND (s.entity_id = ANY (ARRAY( SELECT current_scope_sources() AS current_scope_sources))))))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (series_id IN ( SELECT s.id FROM series s WHERE ((s.organization_id = ( SELECT current_organization() AS current_organization)) AND (s.entity_id = ANY (ARRAY( SELECT current_scope_sources() AS current_scope_sources)))))))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE maintenance_windows ROW SECURITY
    actor text NOT NULL
    begins timestamp with time zone NOT NULL
    created_at timestamp with time zone NOT NULL
    ends timestamp with time zone NOT NULL
    id uuid NOT NULL
    note text
    organization_id integer NOT NULL
    under_id uuid
    CONSTRAINT ck_maintenance_windows_span CHECK ((begins < ends))
    CONSTRAINT fk_maintenance_windows_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT fk_maintenance_windows_under FOREIGN KEY (organization_id, under_id) REFERENCES entities(organization_id, id)
    CONSTRAINT pk_maintenance_windows PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_maintenance_windows_ends ON public.maintenance_windows USING btree (organization_id, ends)
    CREATE TRIGGER invalidate_suppression_on_window AFTER INSERT OR DELETE OR UPDATE ON public.maintenance_windows FOR EACH ROW EXECUTE FUNCTION invalidate_suppression_on_window()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (under_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (under_id IN ( SELECT current_scope() AS current_scope)))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_api
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_scoped
    GRANT SELECT TO argus_pipeline

TABLE notifications ROW SECURITY
    attempts integer NOT NULL DEFAULT 0
    claimed_by text
    created_at timestamp with time zone NOT NULL
    destination text NOT NULL DEFAULT '-'::text
    due_at timestamp with time zone NOT NULL
    event_id uuid
    finished_at timestamp with time zone
    give_up_at timestamp with time zone NOT NULL DEFAULT (clock_timestamp() + '1 day'::interval)
    id uuid NOT NULL
    last_error text
    losses integer NOT NULL DEFAULT 0
    organization_id integer NOT NULL
    payload jsonb NOT NULL
    sequence integer
    state text NOT NULL DEFAULT 'PENDING'::text
    url text NOT NULL
    CONSTRAINT ck_notifications_state CHECK ((state = ANY (ARRAY['PENDING'::text, 'DELIVERED'::text, 'DEAD'::text])))
    CONSTRAINT fk_notifications_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_notifications PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_notifications_claimed ON public.notifications USING btree (claimed_by) WHERE (claimed_by IS NOT NULL)
    CREATE INDEX ix_notifications_created_at ON public.notifications USING btree (organization_id, created_at, id)
    CREATE INDEX ix_notifications_due ON public.notifications USING btree (organization_id, destination, due_at) WHERE (state = 'PENDING'::text)
    CREATE INDEX ix_notifications_first ON public.notifications USING btree (organization_id, destination, due_at) WHERE ((state = 'PENDING'::text) AND (attempts = 0))
    CREATE UNIQUE INDEX uq_notifications_sequence ON public.notifications USING btree (organization_id, event_id, url, sequence)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING false WITH CHECK false
    GRANT (attempts) UPDATE TO argus_api
    GRANT (attempts) UPDATE TO argus_pipeline
    GRANT (claimed_by) UPDATE TO argus_api
    GRANT (claimed_by) UPDATE TO argus_pipeline
    GRANT (due_at) UPDATE TO argus_api
    GRANT (due_at) UPDATE TO argus_pipeline
    GRANT (finished_at) UPDATE TO argus_api
    GRANT (finished_at) UPDATE TO argus_pipeline
    GRANT (give_up_at) UPDATE TO argus_api
    GRANT (give_up_at) UPDATE TO argus_pipeline
    GRANT (last_error) UPDATE TO argus_api
    GRANT (last_error) UPDATE TO argus_pipeline
    GRANT (losses) UPDATE TO argus_api
    GRANT (losses) UPDATE TO argus_pipeline
    GRANT (state) UPDATE TO argus_api
    GRANT (state) UPDATE TO argus_pipeline
    GRANT INSERT, SELECT TO argus_api
    GRANT INSERT, SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE organizations ROW SECURITY
    created_at timestamp with time zone NOT NULL
    id integer NOT NULL ALWAYS AS IDENTITY
    name text NOT NULL
    public_id uuid NOT NULL
    slug text NOT NULL
    suspended_at timestamp with time zone
    CONSTRAINT ck_organizations_slug CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text))
    CONSTRAINT pk_organizations PRIMARY KEY (id)
    CONSTRAINT uq_organizations_public_id UNIQUE (public_id)
    CONSTRAINT uq_organizations_slug UNIQUE (slug)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api USING (id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    POLICY scope_wall PERMISSIVE FOR SELECT TO argus_scoped USING (id = ( SELECT current_organization() AS current_organization))
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE persons ROW SECURITY
    email text
    id uuid NOT NULL
    kind text NOT NULL GENERATED ALWAYS AS 'PERSON'::text
    organization_id integer NOT NULL
    CONSTRAINT fk_persons_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities(organization_id, id, kind)
    CONSTRAINT pk_persons PRIMARY KEY (organization_id, id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT INSERT, SELECT, UPDATE TO argus_scoped
    GRANT SELECT TO argus_pipeline

TABLE processor_versions ROW SECURITY
    actor text NOT NULL
    effective_from timestamp with time zone NOT NULL
    id uuid NOT NULL
    organization_id integer NOT NULL
    recorded_at timestamp with time zone NOT NULL
    stage text NOT NULL
    version integer NOT NULL
    CONSTRAINT ck_processor_versions_version CHECK ((version >= 1))
    CONSTRAINT fk_processor_versions_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_processor_versions PRIMARY KEY (organization_id, stage, effective_from)
    CREATE TRIGGER invalidate_on_processor_version AFTER INSERT OR UPDATE ON public.processor_versions FOR EACH ROW WHEN ((new.stage = 'derive'::text)) EXECUTE FUNCTION invalidate_on_processor_version()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE raw_batches PARTITION BY RANGE (received_at) ROW SECURITY
    bytes bigint NOT NULL
    dead integer NOT NULL DEFAULT 0
    duplicate integer NOT NULL DEFAULT 0
    feed_position bigint
    first_raw_id bigint NOT NULL
    id bigint NOT NULL
    last_raw_id bigint NOT NULL
    normalized_at timestamp with time zone
    organization_id integer NOT NULL
    partition smallint NOT NULL
    points integer NOT NULL DEFAULT 0
    readings integer NOT NULL
    received_at timestamp with time zone NOT NULL
    stored integer NOT NULL DEFAULT 0
    traces text[] NOT NULL DEFAULT '{}'::text[]
    transport text NOT NULL
    CONSTRAINT pk_raw_batches PRIMARY KEY (organization_id, id, received_at)
    CREATE INDEX ix_raw_batches_feed ON public.raw_batches USING btree (partition, feed_position)
    CREATE INDEX ix_raw_batches_pending ON public.raw_batches USING btree (organization_id, received_at) INCLUDE (readings) WHERE (normalized_at IS NULL)
    CREATE INDEX ix_raw_batches_received_at ON public.raw_batches USING btree (organization_id, received_at)
    CREATE INDEX ix_raw_batches_unfinished ON public.raw_batches USING btree (partition, id) WHERE (normalized_at IS NULL)
    CREATE TRIGGER ingest_accounting_update AFTER UPDATE ON public.raw_batches REFERENCING OLD TABLE AS counted_before NEW TABLE AS counted_after FOR EACH STATEMENT EXECUTE FUNCTION ingest_accounting_update()
    CREATE TRIGGER raw_batches_admit AFTER INSERT ON public.raw_batches REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION raw_batches_admit()
    POLICY ingest_appends PERMISSIVE FOR INSERT TO argus_ingest WITH CHECK true
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    GRANT (dead) UPDATE TO argus_pipeline
    GRANT (duplicate) UPDATE TO argus_pipeline
    GRANT (feed_position) UPDATE TO argus_pipeline
    GRANT (normalized_at) UPDATE TO argus_pipeline
    GRANT (points) UPDATE TO argus_pipeline
    GRANT (stored) UPDATE TO argus_pipeline
    GRANT INSERT TO argus_ingest
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_pipeline

TABLE reading_keys ROW SECURITY
    device_id uuid NOT NULL
    key uuid NOT NULL
    organization_id integer NOT NULL
    raw_id bigint NOT NULL
    received_at timestamp with time zone NOT NULL
    stored boolean NOT NULL
    CONSTRAINT pk_reading_keys PRIMARY KEY (organization_id, device_id, key)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api

TABLE relationships ROW SECURITY
    built_in boolean NOT NULL
    created_at timestamp with time zone NOT NULL
    exclusive text
    exclusive_among text[]
    hierarchy boolean NOT NULL
    inverse text NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    retired_at timestamp with time zone
    source_kinds text[] NOT NULL
    target_kinds text[] NOT NULL
    CONSTRAINT ck_relationships_exclusive CHECK ((exclusive = ANY (ARRAY['SOURCE'::text, 'TARGET'::text, 'TARGET_PORT'::text])))
    CONSTRAINT ck_relationships_name CHECK ((name ~ '^[A-Z][A-Z0-9_]{0,62}$'::text))
    CONSTRAINT fk_relationships_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_relationships PRIMARY KEY (organization_id, name)
    CONSTRAINT uq_relationships_inverse UNIQUE (organization_id, inverse)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE replays ROW SECURITY
    actor text NOT NULL
    begins timestamp with time zone NOT NULL
    changes jsonb NOT NULL DEFAULT '{}'::jsonb
    created_at timestamp with time zone NOT NULL
    device_id uuid
    device_ids uuid[]
    done bigint NOT NULL DEFAULT 0
    dry_run boolean NOT NULL
    ends timestamp with time zone NOT NULL
    finished_at timestamp with time zone
    id uuid NOT NULL
    message text
    organization_id integer NOT NULL
    side_effects boolean NOT NULL
    started_at timestamp with time zone
    state text NOT NULL
    timestamp timestamp with time zone
    total bigint NOT NULL DEFAULT 0
    touched_at timestamp with time zone
    CONSTRAINT ck_replays_span CHECK ((begins < ends))
    CONSTRAINT ck_replays_state CHECK ((state = ANY (ARRAY['QUEUED'::text, 'RUNNING'::text, 'FINISHED'::text, 'CANCELLED'::text, 'FAILED'::text])))
    CONSTRAINT fk_replays_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_replays PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_replays_created_at ON public.replays USING btree (organization_id, created_at, id)
    CREATE INDEX ix_replays_open ON public.replays USING btree (state) WHERE (state = ANY (ARRAY['QUEUED'::text, 'RUNNING'::text]))
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    GRANT (finished_at) UPDATE TO argus_api
    GRANT (state) UPDATE TO argus_api
    GRANT INSERT, SELECT TO argus_api
    GRANT SELECT, UPDATE TO argus_pipeline

TABLE rollup_entities ROW SECURITY
    entity_id uuid NOT NULL
    organization_id integer NOT NULL
    rollup_id uuid NOT NULL
    CONSTRAINT fk_rollup_entities_rollup FOREIGN KEY (organization_id, rollup_id) REFERENCES rollups(organization_id, id)
    CONSTRAINT pk_rollup_entities PRIMARY KEY (organization_id, rollup_id, entity_id)
    CREATE INDEX ix_rollup_entities_entity ON public.rollup_entities USING btree (organization_id, entity_id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope)))
    GRANT DELETE, INSERT, SELECT TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE rollup_input_changes UNLOGGED ROW SECURITY
    begins timestamp with time zone NOT NULL
    ends timestamp with time zone NOT NULL
    entity_id uuid NOT NULL
    generation bigint NOT NULL
    organization_id integer NOT NULL
    CONSTRAINT fk_rollup_input_changes_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_rollup_input_changes PRIMARY KEY (organization_id, entity_id, generation)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline

TABLE rollup_partial_aggregates UNLOGGED WITH (fillfactor=70) ROW SECURITY
    begins timestamp with time zone NOT NULL
    entity_id uuid NOT NULL
    error double precision NOT NULL
    error_left double precision NOT NULL
    key uuid NOT NULL
    organization_id integer NOT NULL
    points bigint NOT NULL
    until timestamp with time zone NOT NULL
    value double precision NOT NULL
    written_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
    CONSTRAINT ck_rollup_partial_aggregates_span CHECK ((begins < until))
    CONSTRAINT fk_rollup_partial_aggregates_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_rollup_partial_aggregates PRIMARY KEY (organization_id, entity_id, key)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline

TABLE rollups ROW SECURITY
    created_at timestamp with time zone NOT NULL
    definition jsonb NOT NULL
    deleted_at timestamp with time zone
    id uuid NOT NULL
    metric text NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    updated_at timestamp with time zone NOT NULL
    CONSTRAINT fk_rollups_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_rollups PRIMARY KEY (organization_id, id)
    CREATE UNIQUE INDEX uq_rollups_name ON public.rollups USING btree (organization_id, name) WHERE (deleted_at IS NULL)
    CREATE TRIGGER invalidate_on_rollup AFTER INSERT OR UPDATE ON public.rollups FOR EACH ROW EXECUTE FUNCTION invalidate_on_rollup()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE rule_states ROW SECURITY
    at timestamp with time zone NOT NULL
    entity_id uuid NOT NULL
    key text NOT NULL
    organization_id integer NOT NULL
    rule_id uuid NOT NULL
    state text NOT NULL
    CONSTRAINT fk_rule_states_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_rule_states PRIMARY KEY (organization_id, entity_id, rule_id, key, at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline

TABLE rule_timers ROW SECURITY
    due_at timestamp with time zone NOT NULL
    entity_id uuid NOT NULL
    key text NOT NULL
    organization_id integer NOT NULL
    rule_id uuid NOT NULL
    CONSTRAINT fk_rule_timers_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_rule_timers PRIMARY KEY (organization_id, entity_id, rule_id, key)
    CREATE INDEX ix_rule_timers_due ON public.rule_timers USING btree (due_at)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline

TABLE rule_versions ROW SECURITY
    action jsonb NOT NULL
    actor text NOT NULL
    condition jsonb NOT NULL
    effective_from timestamp with time zone NOT NULL
    entity_id uuid
    escalation jsonb NOT NULL
    group_id uuid
    id uuid NOT NULL
    is_active boolean NOT NULL
    kind text
    max_events integer NOT NULL
    organization_id integer NOT NULL
    per_us bigint NOT NULL
    profile_id uuid
    recorded_at timestamp with time zone NOT NULL
    rule_id uuid NOT NULL
    severity text NOT NULL
    type text
    under_id uuid
    CONSTRAINT ck_rule_versions_scope CHECK ((num_nonnulls(entity_id, type, under_id, profile_id, group_id) <= 1))
    CONSTRAINT fk_rule_versions_group FOREIGN KEY (organization_id, group_id) REFERENCES groups(organization_id, id)
    CONSTRAINT fk_rule_versions_profile FOREIGN KEY (organization_id, profile_id) REFERENCES asset_profiles(organization_id, id)
    CONSTRAINT fk_rule_versions_rule FOREIGN KEY (organization_id, rule_id) REFERENCES rules(organization_id, id)
    CONSTRAINT pk_rule_versions PRIMARY KEY (organization_id, rule_id, effective_from)
    CREATE INDEX ix_rule_versions_group ON public.rule_versions USING btree (organization_id, group_id) WHERE (group_id IS NOT NULL)
    CREATE INDEX ix_rule_versions_never_heard ON public.rule_versions USING btree (organization_id) WHERE jsonb_path_exists(condition, '$.**."everHeard"?(@ == false)'::jsonpath)
    CREATE TRIGGER invalidate_on_rule_version AFTER INSERT OR UPDATE ON public.rule_versions FOR EACH ROW EXECUTE FUNCTION invalidate_on_rule_version()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (rule_id IN ( SELECT rules_of_scope() AS rules_of_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (rule_id IN ( SELECT rules_of_scope() AS rules_of_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE rules ROW SECURITY
    created_at timestamp with time zone NOT NULL
    deleted_at timestamp with time zone
    id uuid NOT NULL
    name text NOT NULL
    organization_id integer NOT NULL
    profile_id uuid
    updated_at timestamp with time zone NOT NULL
    CONSTRAINT fk_rules_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT fk_rules_profile FOREIGN KEY (organization_id, profile_id) REFERENCES asset_profiles(organization_id, id)
    CONSTRAINT pk_rules PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_rules_profile ON public.rules USING btree (organization_id, profile_id) WHERE (profile_id IS NOT NULL)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT rules_of_scope() AS rules_of_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT rules_of_scope() AS rules_of_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE schema_functions
    applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
    catalogue_hash text NOT NULL
    is_only boolean NOT NULL DEFAULT true
    text_hash text NOT NULL
    CONSTRAINT ck_schema_functions_only CHECK (is_only)
    CONSTRAINT pk_schema_functions PRIMARY KEY (is_only)

TABLE series ROW SECURITY
    declared_type smallint
    entity_id uuid NOT NULL
    id bigint NOT NULL ALWAYS AS IDENTITY
    metric text NOT NULL
    organization_id integer NOT NULL
    origin text
    port integer
    unit text
    CONSTRAINT fk_series_entity FOREIGN KEY (organization_id, entity_id) REFERENCES entities(organization_id, id)
    CONSTRAINT pk_series PRIMARY KEY (organization_id, id)
    CONSTRAINT uq_series_entity UNIQUE NULLS NOT DISTINCT (organization_id, entity_id, port, metric)
    CREATE INDEX ix_series_metric ON public.series USING btree (organization_id, metric)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope_sources() AS current_scope_sources))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope_sources() AS current_scope_sources)))
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE series_hours ROW SECURITY
    first double precision
    greatest double precision
    greatest_type smallint
    hour timestamp with time zone NOT NULL
    is_whole boolean NOT NULL
    last double precision
    least double precision
    least_type smallint
    organization_id integer NOT NULL
    points integer
    quarters bytea
    series_id bigint NOT NULL
    sum double precision
    sum_error double precision
    CONSTRAINT ck_series_hours_whole CHECK ((is_whole = (num_nulls(points, least_type, greatest_type, "least", "greatest", first, last, sum, sum_error) = 0)))
    CONSTRAINT fk_series_hours_series FOREIGN KEY (organization_id, series_id) REFERENCES series(organization_id, id)
    CONSTRAINT pk_series_hours PRIMARY KEY (organization_id, series_id, hour)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (series_id IN ( SELECT s.id FROM series s WHERE ((s.organization_id = ( SELECT current_organization() AS current_organization)) AND (s.entity_id = ANY (ARRAY( SELECT current_scope_sources() AS current_scope_sources))))))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (series_id IN ( SELECT s.id FROM series s WHERE ((s.organization_id = ( SELECT current_organization() AS current_organization)) AND (s.entity_id = ANY (ARRAY( SELECT current_scope_sources() AS current_scope_sources)))))))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE session_ends ROW SECURITY
    ended_at timestamp with time zone NOT NULL
    number bigint NOT NULL DEFAULT nextval('session_ends_number'::regclass)
    organization_id integer NOT NULL
    subject text NOT NULL
    CONSTRAINT fk_session_ends_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_session_ends PRIMARY KEY (organization_id, subject)
    CREATE INDEX ix_session_ends_number ON public.session_ends USING btree (number)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_api

TABLE shadow_differences ROW SECURITY
    entity_id uuid NOT NULL
    metric text NOT NULL
    organization_id integer NOT NULL
    shadow_value double precision
    shadow_version integer NOT NULL
    stage text NOT NULL
    timestamp timestamp with time zone NOT NULL
    value double precision
    version integer NOT NULL
    CONSTRAINT fk_shadow_differences_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_shadow_differences PRIMARY KEY (organization_id, stage, entity_id, "timestamp", metric)
    CREATE INDEX ix_shadow_differences_timestamp ON public.shadow_differences USING btree (organization_id, stage, "timestamp", entity_id, metric)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT TO argus_pipeline
    GRANT SELECT TO argus_api

TABLE shadows ROW SECURITY
    compared bigint NOT NULL DEFAULT 0
    different bigint NOT NULL DEFAULT 0
    errors bigint NOT NULL DEFAULT 0
    last_error text
    omitted bigint NOT NULL DEFAULT 0
    organization_id integer NOT NULL
    since timestamp with time zone NOT NULL
    stage text NOT NULL
    version integer NOT NULL
    CONSTRAINT fk_shadows_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_shadows PRIMARY KEY (organization_id, stage)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT (compared) UPDATE TO argus_pipeline
    GRANT (different) UPDATE TO argus_pipeline
    GRANT (errors) UPDATE TO argus_pipeline
    GRANT (last_error) UPDATE TO argus_pipeline
    GRANT (omitted) UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_pipeline

TABLE shelves ROW SECURITY
    actor text NOT NULL
    begins timestamp with time zone NOT NULL
    created_at timestamp with time zone NOT NULL
    ends timestamp with time zone NOT NULL
    entity_id uuid
    id uuid NOT NULL
    note text
    organization_id integer NOT NULL
    rule_id uuid
    CONSTRAINT ck_shelves_span CHECK ((begins < ends))
    CONSTRAINT ck_shelves_what CHECK ((num_nonnulls(rule_id, entity_id) >= 1))
    CONSTRAINT fk_shelves_entity FOREIGN KEY (organization_id, entity_id) REFERENCES entities(organization_id, id)
    CONSTRAINT fk_shelves_rule FOREIGN KEY (organization_id, rule_id) REFERENCES rules(organization_id, id)
    CONSTRAINT pk_shelves PRIMARY KEY (organization_id, id)
    CREATE INDEX ix_shelves_ends ON public.shelves USING btree (organization_id, ends)
    CREATE TRIGGER invalidate_suppression_on_shelf AFTER INSERT OR DELETE OR UPDATE ON public.shelves FOR EACH ROW EXECUTE FUNCTION invalidate_suppression_on_window()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (entity_id IN ( SELECT current_scope() AS current_scope)))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_api
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_scoped
    GRANT SELECT TO argus_pipeline

TABLE spaces ROW SECURITY
    id uuid NOT NULL
    kind text NOT NULL GENERATED ALWAYS AS 'SPACE'::text
    organization_id integer NOT NULL
    CONSTRAINT fk_spaces_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities(organization_id, id, kind)
    CONSTRAINT pk_spaces PRIMARY KEY (organization_id, id)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT, SELECT, UPDATE TO argus_api
    GRANT INSERT, SELECT, UPDATE TO argus_scoped
    GRANT SELECT TO argus_pipeline

TABLE stage_leases
    busy_s double precision NOT NULL DEFAULT 0
    delay_s double precision NOT NULL DEFAULT 0
    delays bigint NOT NULL DEFAULT 0
    errors bigint NOT NULL DEFAULT 0
    expires_at timestamp with time zone NOT NULL
    fence bigint NOT NULL
    holder text NOT NULL
    items bigint NOT NULL DEFAULT 0
    partition smallint NOT NULL
    position bigint NOT NULL
    stage text NOT NULL
    CONSTRAINT pk_stage_leases PRIMARY KEY (stage, partition)
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline

TABLE suppression_invalidations ROW SECURITY
    begins timestamp with time zone NOT NULL
    done_at timestamp with time zone
    done_id uuid
    ends timestamp with time zone NOT NULL
    organization_id integer NOT NULL
    CONSTRAINT fk_suppression_invalidations_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_suppression_invalidations PRIMARY KEY (organization_id, begins, ends)
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY pipeline_lists PERMISSIVE FOR SELECT TO argus_pipeline USING true
    GRANT DELETE, SELECT, UPDATE TO argus_pipeline

TABLE telemetry_history PARTITION BY RANGE ("timestamp") ROW SECURITY
    organization_id integer NOT NULL
    raw_id bigint NOT NULL
    series_id bigint NOT NULL
    text text
    timestamp timestamp with time zone NOT NULL
    type smallint NOT NULL
    value double precision
    CONSTRAINT pk_telemetry_history PRIMARY KEY (organization_id, series_id, "timestamp")
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (series_id IN ( SELECT s.id FROM series s WHERE ((s.organization_id = ( SELECT current_organization() AS current_organization)) AND (s.entity_id = ANY (ARRAY( SELECT current_scope_sources() AS current_scope_sources))))))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (series_id IN ( SELECT s.id FROM series s WHERE ((s.organization_id = ( SELECT current_organization() AS current_organization)) AND (s.entity_id = ANY (ARRAY( SELECT current_scope_sources() AS current_scope_sources)))))))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_pipeline
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_scoped

TABLE telemetry_raw PARTITION BY RANGE (received_at) ROW SECURITY
    batch_id bigint NOT NULL
    device_id uuid NOT NULL
    id bigint NOT NULL
    key uuid NOT NULL
    metrics json NOT NULL
    organization_id integer NOT NULL
    port integer
    received_at timestamp with time zone NOT NULL
    timestamp timestamp with time zone NOT NULL
    CONSTRAINT pk_telemetry_raw PRIMARY KEY (organization_id, id, received_at)
    CREATE INDEX ix_telemetry_raw_device ON public.telemetry_raw USING btree (organization_id, device_id, "timestamp")
    POLICY ingest_appends PERMISSIVE FOR INSERT TO argus_ingest WITH CHECK true
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING ((organization_id = ( SELECT current_organization() AS current_organization)) AND (device_id IN ( SELECT current_scope() AS current_scope))) WITH CHECK ((organization_id = ( SELECT current_organization() AS current_organization)) AND (device_id IN ( SELECT current_scope() AS current_scope)))
    GRANT INSERT TO argus_ingest
    GRANT SELECT TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE telemetry_schemas ROW SECURITY
    effective_from timestamp with time zone NOT NULL
    entity_type_id uuid NOT NULL
    organization_id integer NOT NULL
    recorded_at timestamp with time zone NOT NULL
    schema jsonb NOT NULL
    CONSTRAINT fk_telemetry_schemas_entity_type FOREIGN KEY (organization_id, entity_type_id) REFERENCES entity_types(organization_id, id) ON DELETE CASCADE
    CONSTRAINT pk_telemetry_schemas PRIMARY KEY (organization_id, entity_type_id, effective_from)
    CREATE TRIGGER invalidate_on_schema_version AFTER INSERT OR DELETE OR UPDATE ON public.telemetry_schemas FOR EACH ROW EXECUTE FUNCTION invalidate_on_schema_version()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    POLICY scope_wall PERMISSIVE FOR ALL TO argus_scoped USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT DELETE, INSERT, SELECT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline
    GRANT SELECT TO argus_scoped

TABLE webhook_secrets ROW SECURITY
    id uuid NOT NULL
    organization_id integer NOT NULL
    previous_secret text
    previous_until timestamp with time zone
    rotated_at timestamp with time zone NOT NULL
    rotated_by text NOT NULL
    secret text NOT NULL
    CONSTRAINT fk_webhook_secrets_organization FOREIGN KEY (organization_id) REFERENCES organizations(id)
    CONSTRAINT pk_webhook_secrets PRIMARY KEY (organization_id)
    CREATE TRIGGER webhook_secret_rotate BEFORE UPDATE ON public.webhook_secrets FOR EACH ROW EXECUTE FUNCTION webhook_secret_rotate()
    POLICY organization_wall PERMISSIVE FOR ALL TO argus_api, argus_pipeline USING (organization_id = ( SELECT current_organization() AS current_organization)) WITH CHECK (organization_id = ( SELECT current_organization() AS current_organization))
    GRANT (id) SELECT TO argus_api
    GRANT (organization_id) SELECT TO argus_api
    GRANT (previous_until) SELECT TO argus_api
    GRANT (rotated_at) SELECT TO argus_api
    GRANT (rotated_by) SELECT TO argus_api
    GRANT INSERT, UPDATE TO argus_api
    GRANT SELECT TO argus_pipeline

TABLE work_counts
    counted_at timestamp with time zone NOT NULL
    label text NOT NULL
    name text NOT NULL
    value double precision NOT NULL
    CONSTRAINT pk_work_counts PRIMARY KEY (name, label)
    GRANT INSERT, SELECT, UPDATE TO argus_pipeline

SEQUENCE dirty_buckets_generation bigint START 1 INCREMENT 1 CACHE 1 GRANT SELECT TO argus_api; SELECT, USAGE TO argus_pipeline
SEQUENCE dirty_windows_id_seq bigint START 1 INCREMENT 1 CACHE 1
SEQUENCE event_changes_id_seq bigint START 1 INCREMENT 1 CACHE 1
SEQUENCE event_corrections_id_seq bigint START 1 INCREMENT 1 CACHE 1
SEQUENCE event_updates_id_seq bigint START 1 INCREMENT 1 CACHE 1
SEQUENCE organizations_id_seq integer START 1 INCREMENT 1 CACHE 1
SEQUENCE raw_batches_id_seq bigint START 1 INCREMENT 1 CACHE 1 GRANT USAGE TO argus_ingest
SEQUENCE series_id_seq bigint START 1 INCREMENT 1 CACHE 1
SEQUENCE session_ends_number bigint START 1 INCREMENT 1 CACHE 1 GRANT USAGE TO argus_api
SEQUENCE telemetry_raw_id_seq bigint START 1 INCREMENT 1 CACHE 1 GRANT USAGE TO argus_ingest

FUNCTION activity_place() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, public, pg_temp MD5 7b3914c0f2cd474942c342700cfa7fc8
FUNCTION api_key_owner(bytea) RETURNS SETOF record sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 716fe15c6ae55be7eeac0a7ad2d0f32c GRANT EXECUTE TO argus_api
FUNCTION api_keys_ended(integer[],uuid[]) RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 a6429c44bf79c62dc36868a1cc985132 GRANT EXECUTE TO argus_api
FUNCTION batches_reopen(integer,bigint[],timestamp with time zone[]) RETURNS integer sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 2b2199cd13123efa1f6af30835daa1e7 GRANT EXECUTE TO argus_api
FUNCTION convergence_state() RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 b163f46693ed8618201aab26b1df165a GRANT EXECUTE TO argus_api
FUNCTION current_organization() RETURNS integer sql STABLE MD5 c346a5a2a92e760f09c94a294bda84cf GRANT EXECUTE TO PUBLIC
FUNCTION current_scope() RETURNS SETOF uuid sql STABLE MD5 40fdbda3c40750a719329e157aed06b7 GRANT EXECUTE TO PUBLIC
FUNCTION current_scope_sources() RETURNS SETOF uuid sql STABLE MD5 f4705a635f5a7c085a37ec298d7eb97c GRANT EXECUTE TO PUBLIC
FUNCTION delete_expired_rows(text,timestamp with time zone,bigint,integer) RETURNS bigint plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 a5afd6be4d6d6e3f95a77ad82e190297 GRANT EXECUTE TO argus_pipeline
FUNCTION deliveries_state() RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 9ceecf57c466dfb0a00b384603472197 GRANT EXECUTE TO argus_api
FUNCTION derivation_revision_raise(integer) RETURNS void sql VOLATILE SET search_path=pg_catalog, public, pg_temp MD5 9edcd13355f5cb936553408502d1be42
FUNCTION device_token_owner(bytea) RETURNS SETOF record sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 e693a3dc12041575ea087a3559d550e3 GRANT EXECUTE TO argus_api
FUNCTION device_tokens_ended(integer[],uuid[]) RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 22fdb74c899d05889fd33b23a106ad38 GRANT EXECUTE TO argus_api
FUNCTION drop_partitions(text,timestamp with time zone) RETURNS SETOF text plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp SET lock_timeout=200ms MD5 0689f96d1dd8835cdd713a29f1009a85 GRANT EXECUTE TO argus_pipeline
FUNCTION edge_difference(entity_edges,boolean) RETURNS tstzmultirange plpgsql STABLE SET search_path=pg_catalog, public, pg_temp MD5 c5fb0705cf9412f4c513fdfa37b14276
FUNCTION edges_recorded_since(integer,timestamp with time zone,integer) RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 a506f42da5e6466d6edf3d8f0ec2a25c GRANT EXECUTE TO argus_api; EXECUTE TO argus_pipeline
FUNCTION ensure_partition(text,timestamp with time zone) RETURNS void plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 2f90dbd92806ce4f22a414c5a6f0915e GRANT EXECUTE TO argus_ingest; EXECUTE TO argus_pipeline
FUNCTION entities_in_boxes(integer,box,box) RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 118a2be1f0ea34d972d7082c8d5ad469 GRANT EXECUTE TO argus_api; EXECUTE TO argus_pipeline; EXECUTE TO argus_scoped
FUNCTION entities_named_like(integer,text) RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 44b12f50b0da986532014ba05afe93bf GRANT EXECUTE TO argus_api; EXECUTE TO argus_pipeline; EXECUTE TO argus_scoped
FUNCTION entities_searched(integer,text,text[],integer) RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 f4358752123eb449be434f0a4c0849f0 GRANT EXECUTE TO argus_api; EXECUTE TO argus_scoped
FUNCTION erasure_finish(uuid) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 38dc241d964278ab78aca7c38f409a71 GRANT EXECUTE TO argus_pipeline
FUNCTION erasure_page(uuid,integer) RETURNS boolean plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 e81965fc9a4f51b522b7a4f536f476d6 GRANT EXECUTE TO argus_pipeline
FUNCTION groups_of_scope() RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 aef9743d3d6df1175bfe35494bc2ef87 GRANT EXECUTE TO argus_scoped
FUNCTION history_close(timestamp with time zone) RETURNS timestamp with time zone plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp SET lock_timeout=200ms MD5 12035a63f233519dc23d39c7b49263f1 GRANT EXECUTE TO argus_pipeline
FUNCTION history_retention_hold() RETURNS timestamp with time zone plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 218781f48d642d1bb77e9db79f3c51c2 GRANT EXECUTE TO argus_pipeline
FUNCTION hourly_aggregates_built(timestamp with time zone,timestamp with time zone) RETURNS boolean sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 4ec2468131d3b31cf2ea357d94132029 GRANT EXECUTE TO argus_pipeline
FUNCTION ingest_accounting_update() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 234fd9a85867abd218d9cc89637c2dcf
FUNCTION invalidate_all(integer,timestamp with time zone,timestamp with time zone,text) RETURNS bigint sql VOLATILE SET search_path=pg_catalog, public, pg_temp MD5 96641624dedd2e10b6ab3acdd22514cb
FUNCTION invalidate_on_area() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 3d85bbe96ea7f4695f64ae43df8ff16e
FUNCTION invalidate_on_attributes() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 fb84347bfde2eccf42457c72d5c36e32
FUNCTION invalidate_on_creation() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 a7583371ff76abb3a97d049d2e376cda
FUNCTION invalidate_on_deletion() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 cdb0b5a86cfad321395927c1d98a2ac5
FUNCTION invalidate_on_group_member() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 3ea4a0d6665335939b83115db37c5139
FUNCTION invalidate_on_hierarchy() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 0eb13b43b125427b21dbcfdf11a0846f
FUNCTION invalidate_on_link() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 3e939010bf0901fc44747b70a56c421f
FUNCTION invalidate_on_membership() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 325277ad0bbf5576444db057b2cf17b6
FUNCTION invalidate_on_processor_version() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 61ab15f65886dcabb346fda653f66a9b
FUNCTION invalidate_on_profile_assignment() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 a04179ceefdddd720c594a60f849571e
FUNCTION invalidate_on_profile_version() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 5a938466d774d15a5908484b09e468b4
FUNCTION invalidate_on_rollup() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 783f5d85672f28ed1d86ba5adebd36cb
FUNCTION invalidate_on_rule_version() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 147c59bc6adbc82ddc9117eedc8825d9
FUNCTION invalidate_on_schema_version() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 6e062f7b4bb7ca55b2ebce9c389020a0
FUNCTION invalidate_on_type() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 804f819eebe051b5e6c2bd173f084102
FUNCTION invalidate_suppression_on_edge() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 7852148fdc81168aa0f53ac4dd9b7437
FUNCTION invalidate_suppression_on_window() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 a57839fa256e79eae03e1281db72feb4
FUNCTION is_unscoped() RETURNS boolean sql STABLE MD5 e299838926ddfa512f4241fda18482dc GRANT EXECUTE TO PUBLIC
FUNCTION json_without(jsonb,uuid,uuid,text[]) RETURNS jsonb plpgsql IMMUTABLE SET search_path=pg_catalog, public, pg_temp MD5 ed0d6f2b123a84ead59dc1c848bc8d16
FUNCTION links_of_scope(integer) RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 01d97ff795800af510890609c13b995b GRANT EXECUTE TO argus_scoped
FUNCTION log_event_updates() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 912351f85597e9c7f029bb0456c99ea6
FUNCTION organization_by_slug(text) RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 63719844f2a97942939a9db1111977e8 GRANT EXECUTE TO argus_api
FUNCTION organization_has_consumers(integer) RETURNS boolean sql STABLE SET search_path=pg_catalog, public, pg_temp MD5 669c725c8ffeafe52e5d75d64ed518df
FUNCTION organizations_suspended() RETURNS SETOF integer sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 2bc4a3b679fe64aba9d6bbdebe34c2b0 GRANT EXECUTE TO argus_api
FUNCTION partitions_ended(text,timestamp with time zone) RETURNS SETOF record sql STABLE SET search_path=pg_catalog, public, pg_temp MD5 e01683527440741b395fe842e7bc1503 GRANT EXECUTE TO argus_pipeline
FUNCTION pipeline_state() RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 0b75af54cb7d0a56326341cdd99b6d7f GRANT EXECUTE TO argus_api
FUNCTION profile_reads(integer,uuid,text) RETURNS boolean sql STABLE SET search_path=pg_catalog, public, pg_temp MD5 bbe4625d61c03ed5d60082a67bda79c9
FUNCTION raw_batches_admit() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 d472df38fe021e3a78517d30e38ae31a
FUNCTION raw_erase(bigint[],timestamp with time zone[]) RETURNS void sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 cf1dcbda7754d53cb3a41f2698886a64 GRANT EXECUTE TO argus_pipeline
FUNCTION readings_outcome(integer,bigint[],timestamp with time zone[]) RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 434d154d35bd0eed391e3a575d6854ed GRANT EXECUTE TO argus_api; EXECUTE TO argus_scoped
FUNCTION rules_of_scope() RETURNS SETOF uuid sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 d97f09ce75497196f3587b32e0996583 GRANT EXECUTE TO argus_scoped
FUNCTION search_pattern(text) RETURNS text sql IMMUTABLE MD5 c461018544a80a34e6d83e83e6ee5fe7 GRANT EXECUTE TO PUBLIC
FUNCTION sessions_ended_after(bigint) RETURNS SETOF record sql STABLE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 66aad28679a84a9a34ba6a0d11ac787b GRANT EXECUTE TO argus_api
FUNCTION shadow_compare(timestamp with time zone,timestamp with time zone) RETURNS bigint sql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 975f423e009cfdd3f1487673061ec4fe GRANT EXECUTE TO argus_api
FUNCTION shadow_restart() RETURNS trigger plpgsql VOLATILE SECURITY DEFINER SET search_path=pg_catalog, public, pg_temp MD5 9f4131a8cfc12cdad7319da6fa41e155
FUNCTION suppression_invalidate(integer,timestamp with time zone,timestamp with time zone) RETURNS void sql VOLATILE SET search_path=pg_catalog, public, pg_temp MD5 fc6b7f18d676a77ef3e2f203c4a1014c
FUNCTION text_folded(text) RETURNS text sql IMMUTABLE MD5 5b458e5ce4b4c4fcc923c91aa17773b9 GRANT EXECUTE TO PUBLIC
FUNCTION text_without(text,text[]) RETURNS text plpgsql IMMUTABLE SET search_path=pg_catalog, public, pg_temp MD5 7341ae12f0b354d0cfb75d78e2dc0f1c
FUNCTION trail_erase(integer,uuid[],uuid,uuid,text[]) RETURNS void sql VOLATILE SET search_path=pg_catalog, public, pg_temp MD5 4e3ea78cf7d5e1cd0e4be0d801a6ad32
FUNCTION type_derives(integer,text,text) RETURNS boolean sql STABLE SET search_path=pg_catalog, public, pg_temp MD5 ee1863ee2e139d44b2018a2c9000ed23
FUNCTION type_reads(integer,text,text,text) RETURNS boolean sql STABLE SET search_path=pg_catalog, public, pg_temp MD5 c350042f76bdd8bd95e8c631c8ca4981
FUNCTION webhook_secret_rotate() RETURNS trigger plpgsql VOLATILE SET search_path=pg_catalog, public, pg_temp MD5 812ba17aebb9e625e40c5f57839199ab
FUNCTION windows_insert(integer,uuid,tstzmultirange,text) RETURNS void sql VOLATILE SET search_path=pg_catalog, public, pg_temp MD5 baf8e1636d52b3385f2d48ff56137be6

EXTENSION btree_gin
EXTENSION btree_gist
EXTENSION pg_trgm
