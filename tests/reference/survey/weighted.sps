* Makes the files of this folder; written by GNU PSPP 1.6.2.
DATA LIST LIST /resp (F4) longlonglongname (A300) sex (F1) income (F8.2) trust (F2) joined (MOYR8) seen (DATE11) at (DATETIME20) household (F8.2) design (F8.4).
BEGIN DATA
1 "aaaaaaaaaaaaaaaa" 1 2400.5 0 "JAN 2019" "05-JAN-2020" "05-JAN-2020 10:30:00" 2 0.5
2 "b" 2 97 10 "FEB 2020" "28-FEB-2020" "28-FEB-2020 00:00:01" 1 1.25
3 "c" 2 99 88 "DEC 1999" "31-DEC-1999" "31-DEC-1999 23:59:59" 3 2
4 "d" 1 3100 5 "OCT 1582" "15-OCT-1582" "15-OCT-1582 00:00:00" 4 0.25
END DATA.
VARIABLE LABELS sex "Sex of respondent" /trust "Trust in parliament" /design "Design weight".
VALUE LABELS sex 1 "Male" 2 "Female" /trust 0 "No trust at all" 10 "Complete trust" 88 "Don't know".
MISSING VALUES income (97 THRU 99) trust (77, 88).
VARIABLE LEVEL sex (NOMINAL) trust (ORDINAL) income (SCALE).
WEIGHT BY design.
SAVE OUTFILE="weighted.sav" /UNCOMPRESSED.
SAVE OUTFILE="weighted.zsav" /ZCOMPRESSED.
EXPORT OUTFILE="weighted.por" /DROP=longlonglongname.
WEIGHT OFF.
SAVE OUTFILE="unweighted.sav" /COMPRESSED.
