-- What devices, assets, spaces and persons have beyond an entity. The generated kind makes the foreign key hold it.

CREATE TABLE devices (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('DEVICE') STORED,
    firmware_version text,
    CONSTRAINT pk_devices PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_devices_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities (organization_id, id, kind)
);

CREATE TABLE assets (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('ASSET') STORED,
    profile_id uuid,
    CONSTRAINT pk_assets PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_assets_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities (organization_id, id, kind),
    CONSTRAINT fk_assets_profile FOREIGN KEY (organization_id, profile_id)
        REFERENCES asset_profiles (organization_id, id)
);
CREATE INDEX ix_assets_profile ON assets (organization_id, profile_id, id) WHERE profile_id IS NOT NULL;

CREATE TABLE spaces (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('SPACE') STORED,
    CONSTRAINT pk_spaces PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_spaces_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities (organization_id, id, kind)
);

CREATE TABLE persons (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('PERSON') STORED,
    email text,
    CONSTRAINT pk_persons PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_persons_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities (organization_id, id, kind)
);

CREATE TABLE device_tokens (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    device_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    issued_by text NOT NULL,
    expires_at timestamptz,
    -- To the hour.
    last_used_at timestamptz,
    CONSTRAINT pk_device_tokens PRIMARY KEY (organization_id, id),
    CONSTRAINT uq_device_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_device_tokens_device FOREIGN KEY (organization_id, device_id) REFERENCES devices (organization_id, id)
);
CREATE INDEX ix_device_tokens_device ON device_tokens (organization_id, device_id);
