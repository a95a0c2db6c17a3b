{%- if database == "sqlite" -%}
create table items (
    -- Version 7 as 16 bytes: the order of ids is the order of creation.
    id blob primary key not null,
    name text not null,
    quantity integer not null
) strict, without rowid;
{%- else -%}
create table items (
    -- Version 7: the order of ids is the order of creation.
    id uuid primary key,
    name text not null,
    quantity bigint not null
);
{%- endif %}
