-- What an import of many entities needs while a young table's statistics are missing: then all indexes that begin with
-- the columns a foreign key names look alike, and each check of one read every entity of its kind over this index.
-- A check says nothing of the type, so that it is never planned over an index of those that have one.
DROP INDEX ix_entities_type;
CREATE INDEX ix_entities_type ON entities (organization_id, type, kind) WHERE type IS NOT NULL;
