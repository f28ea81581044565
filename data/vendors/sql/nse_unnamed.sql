-- Tell the options of NSE's report from its futures.
-- In:    view report with kind and further columns, no symbol
-- Out:   the columns of report, underlying; futures have an underlying of their own
-- Grain: one row per row of report
-- Unit:  the vendor's
SELECT
    *,
    CASE WHEN kind IN ('IDO', 'STO') THEN NULL ELSE '(NO OPTION)' END AS underlying
FROM report
