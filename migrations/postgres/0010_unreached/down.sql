DROP TABLE unreached;
