-- Texts as a search compares them. An index uses what is here: it needs no table, and is applied before the first one is
-- created. Whoever changes what text_folded returns builds ix_entities_name_parts again.

-- A text without regard to case, accents and form: Ü, ü and u with two dots are u, the ligature fi is fi, ß is ss. Neither
-- strict nor with settings of its own, so that it becomes a part of the query that calls it.
CREATE OR REPLACE FUNCTION text_folded(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(value) = length(value) THEN lower(value) ELSE
        replace(translate(lower(regexp_replace(normalize(value, NFKD),
            '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]', '', 'g')),
            'øłđħŧıς', 'oldhtiσ'), 'ß', 'ss')
    END;

-- The LIKE pattern that finds a text anywhere in another that is folded.
CREATE OR REPLACE FUNCTION search_pattern(search text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '%' || regexp_replace(text_folded(search), '([\\%_])', '\\\1', 'g') || '%';
