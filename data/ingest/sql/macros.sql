-- Turn a vendor's values into canonical types, refusing what is not what it should be.
-- In:    a value, and for values that can be refused the canonical column and the file's index
-- Out:   macros; a refusal is an error 'gexlab:<file index>:<column>:<value>'
-- Grain: one value
-- Unit:  dates, moments in UTC, numbers in the vendor's unit
-- A pattern: trimming and comparing with a list was measured to be done for every row, asked or not.
CREATE OR REPLACE MACRO is_blank(v) AS
    regexp_full_match(v, '(?i)\s*(nan|na|n/a|n[.]a[.]|#n/a|null|none|nat|--?|[.]|\\n)?\s*');

CREATE OR REPLACE MACRO refuse(v, what, file_index) AS
    error('gexlab:' || file_index || ':' || what || ':' || left(v, 80));

-- No market has prints of 1e15 of anything; products of such numbers would leave what a double holds.
-- The largest integers of 32 bits, and -99.99 and its like, are how vendors write that they do not know.
-- Nearly every number passes the first test, which was measured to be three times faster than all.
CREATE OR REPLACE MACRO finite(x) AS
    CASE
        WHEN x BETWEEN -99 AND 2147483646 THEN x
        WHEN abs(x) < 1e15 AND x != 2147483647 AND x != 4294967295
            AND x != -99.99 AND x != -999.99 AND x != -9999 AND x != -99999 THEN x
    END;

CREATE OR REPLACE MACRO number_of_number(v) AS finite(CAST(v AS DOUBLE));

CREATE OR REPLACE MACRO number_of_text(v, what, file_index) AS
    CASE
        WHEN TRY_CAST(v AS DOUBLE) IS NOT NULL THEN finite(TRY_CAST(v AS DOUBLE))
        WHEN v IS NULL OR is_blank(v) THEN NULL
        ELSE refuse(v, what, file_index)
    END;

-- What two cells are compared by: 1, 1.0 and " 1 " are one.
CREATE OR REPLACE MACRO key_text(v) AS
    CASE
        WHEN TRY_CAST(v AS DOUBLE) IS NOT NULL AND abs(TRY_CAST(v AS DOUBLE)) < 1e15
            THEN CAST(TRY_CAST(v AS DOUBLE) AS VARCHAR)
        ELSE lower(trim(v))
    END;

CREATE OR REPLACE MACRO text_of_number(v) AS
    CASE
        WHEN v IS NULL OR isnan(v) THEN NULL
        WHEN v = floor(v) AND abs(v) < 1e20 THEN CAST(CAST(v AS HUGEINT) AS VARCHAR)
        ELSE CAST(v AS VARCHAR)
    END;

CREATE OR REPLACE MACRO is_odd_number(v) AS
    v IS NOT NULL AND NOT is_blank(v) AND TRY_CAST(v AS DOUBLE) IS NULL;

-- A point that cannot separate thousands.
CREATE OR REPLACE MACRO has_decimals(v) AS
    TRY_CAST(v AS DOUBLE) IS NOT NULL AND contains(v, '.')
    AND NOT regexp_full_match(trim(v), '-?[1-9]\d{0,2}([.]\d{3})+');

-- Digits, points and commas of other scripts, as Japanese and Arabic spreadsheets write them.
CREATE OR REPLACE MACRO western(v) AS
    translate(v, '０１２３４５６７８９．，－＋％٠١٢٣٤٥٦٧٨٩٫٬۰۱۲۳۴۵۶۷۸۹', '0123456789.,-+%0123456789.,0123456789');

CREATE OR REPLACE MACRO bare_number(v, decimal_mark, thousands_mark) AS
    replace(
        replace(
            regexp_replace(
                trim(western(v)),
                '[\s\x{00A0}\x{2007}\x{2009}\x{202F}''’$€£¥₹%]|^[A-Z]{3}|[A-Z]{3}$', '', 'g'
            ),
            CASE WHEN thousands_mark = '' THEN ' ' ELSE thousands_mark END, ''
        ),
        decimal_mark, '.'
    );

-- An accountant's (12.5) is -12.5.
CREATE OR REPLACE MACRO number_of_styled(v, decimal_mark, thousands_mark, percent, what, file_index) AS
    CASE
        WHEN v IS NULL OR is_blank(v) THEN NULL
        WHEN TRY_CAST(bare_number(v, decimal_mark, thousands_mark) AS DOUBLE) IS NOT NULL
            THEN finite(TRY_CAST(bare_number(v, decimal_mark, thousands_mark) AS DOUBLE))
                / CASE WHEN contains(western(v), '%') THEN percent ELSE 1.0 END
        WHEN regexp_full_match(trim(v), '[(].*[)]')
            AND TRY_CAST(bare_number(trim(trim(v), '()'), decimal_mark, thousands_mark) AS DOUBLE) IS NOT NULL
            THEN -finite(TRY_CAST(bare_number(trim(trim(v), '()'), decimal_mark, thousands_mark) AS DOUBLE))
        ELSE refuse(v, what, file_index)
    END;

CREATE OR REPLACE MACRO iso_day(v) AS
    CASE WHEN v LIKE '____-__-__' AND v > '1800' THEN TRY_CAST(v AS DATE) END;

-- %Y would take 24 for the year 24.
CREATE OR REPLACE MACRO day_by(v, date_format) AS
    CASE
        WHEN try_strptime(trim(v), date_format) >= TIMESTAMP '1800-01-01'
            THEN CAST(try_strptime(trim(v), date_format) AS DATE)
    END;

-- A date and a time of day from two columns: 9:31, 0931, 093100 and milliseconds since midnight.
CREATE OR REPLACE MACRO clock_of(t) AS
    CASE
        WHEN contains(t, ':') THEN trim(t)
        WHEN length(trim(t)) <= 4 THEN left(lpad(trim(t), 4, '0'), 2) || ':' || right(trim(t), 2)
        WHEN length(trim(t)) <= 6
            THEN left(lpad(trim(t), 6, '0'), 2) || ':' || substr(lpad(trim(t), 6, '0'), 3, 2)
                || ':' || right(trim(t), 2)
        ELSE strftime(make_timestamp(CAST(TRY_CAST(trim(t) AS BIGINT) * 1000 AS BIGINT)), '%H:%M:%S')
    END;

CREATE OR REPLACE MACRO day_and_clock(d, t) AS
    regexp_replace(
        trim(d),
        '(?i)([ T]00:00(:00([.]0+)?)?( ?(Z|UTC|[+-]\d\d:?\d\d))?| 12:00(:00)? ?AM|[.]0+)$', ''
    ) || ' ' || clock_of(t);

CREATE OR REPLACE MACRO at_midnight(t) AS epoch_us(t) % 86400000000 = 0;

CREATE OR REPLACE MACRO epoch_number(v) AS TRY_CAST(v AS HUGEINT);

CREATE OR REPLACE MACRO text_of(v) AS nullif(upper(trim(CAST(v AS VARCHAR))), '');

CREATE OR REPLACE MACRO name_of(v) AS nullif(trim(CAST(v AS VARCHAR)), '');

-- Two-digit years come first: %Y would take '22' for the year 22.
CREATE OR REPLACE MACRO stamp_of_text(v) AS
    try_strptime(trim(v), [
        '%m/%d/%y', '%m/%d/%Y', '%Y%m%d', '%d-%b-%y', '%d-%b-%Y', '%d%b%y', '%d %b %Y',
        '%b %d %Y', '%b %d, %Y', '%a %b %d %Y',
        '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %I:%M:%S %p',
        '%Y%m%d %H:%M', '%Y%m%d %H:%M:%S', '%Y%m%d%H%M', '%Y%m%d%H%M%S', '%d-%b-%Y %H:%M:%S'
    ]);

CREATE OR REPLACE MACRO date_of_text(v, date_format) AS
    CASE
        WHEN date_format IS NOT NULL THEN CAST(try_strptime(trim(v), date_format) AS DATE)
        ELSE coalesce(TRY_CAST(v AS DATE), CAST(stamp_of_text(v) AS DATE))
    END;

CREATE OR REPLACE MACRO date_of_number(v) AS
    CAST(try_strptime(CAST(TRY_CAST(v AS BIGINT) AS VARCHAR), '%Y%m%d') AS DATE);

CREATE OR REPLACE MACRO states_offset(v) AS
    regexp_matches(v, '\d:\d\d(:\d\d)?([.]\d+)? ?(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)$');

-- In UTC the count of microseconds stays what it is, which was measured to be 25 times faster than
-- asking the time zone's rules. An infinite moment counts as missing.
CREATE OR REPLACE MACRO at_zone(zone, t) AS
    CASE WHEN zone = 'UTC' THEN make_timestamptz(epoch_us(t)) ELSE timezone(zone, t) END;

-- The usual spelling has no room for an offset: trimming it and looking for one was measured to take
-- four times as long as reading it.
CREATE OR REPLACE MACRO moment_of_text(v, zone, date_format) AS
    CASE
        WHEN date_format IS NOT NULL THEN TRY(at_zone(zone, try_strptime(trim(v), date_format)))
        WHEN v LIKE '____-__-_____:__:__' THEN TRY(at_zone(zone, TRY_CAST(v AS TIMESTAMP)))
        WHEN states_offset(trim(v)) THEN TRY_CAST(trim(v) AS TIMESTAMPTZ)
        ELSE TRY(at_zone(zone, coalesce(TRY_CAST(v AS TIMESTAMP), stamp_of_text(v))))
    END;

CREATE OR REPLACE MACRO iso_moment(v, zone) AS
    CASE
        WHEN v LIKE '____-__-_____:__:__' THEN TRY(at_zone(zone, TRY_CAST(v AS TIMESTAMP)))
        WHEN v LIKE '____-__-_____:__:__%' AND states_offset(v) THEN TRY_CAST(v AS TIMESTAMPTZ)
        WHEN v LIKE '____-__-_____:__:__.%' THEN TRY(at_zone(zone, TRY_CAST(v AS TIMESTAMP)))
    END;

-- Seconds, milliseconds, microseconds or nanoseconds since 1970, distinguished by their size: the
-- ranges of 2001 to 2286 do not overlap.
CREATE OR REPLACE MACRO moment_of_number(v) AS
    CASE
        WHEN v >= 1e18 THEN make_timestamptz(CAST(v // 1000 AS BIGINT))
        WHEN v >= 1e15 THEN make_timestamptz(CAST(v AS BIGINT))
        WHEN v >= 1e12 THEN make_timestamptz(CAST(v * 1000 AS BIGINT))
        WHEN v >= 1e9 THEN make_timestamptz(CAST(v * 1000000 AS BIGINT))
    END;

-- An expiry that is no date makes its contract impossible; one that looks like a date with a word in
-- it is one that is not understood.
CREATE OR REPLACE MACRO understood_word(parsed, v, what, file_index) AS
    CASE
        WHEN parsed IS NULL AND regexp_matches(CAST(v AS VARCHAR), '\d')
            AND regexp_matches(CAST(v AS VARCHAR), '\p{L}{3}')
            THEN refuse(CAST(v AS VARCHAR), what, file_index)
        ELSE parsed
    END;

-- A value that is there but is not understood is refused; one that is absent is NULL.
CREATE OR REPLACE MACRO understood(parsed, v, what, file_index) AS
    CASE
        WHEN parsed IS NOT NULL THEN parsed
        WHEN v IS NULL OR is_blank(CAST(v AS VARCHAR)) THEN NULL
        ELSE refuse(CAST(v AS VARCHAR), what, file_index)
    END;
