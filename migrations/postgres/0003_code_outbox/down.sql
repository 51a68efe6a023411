DROP TABLE code_outbox;
