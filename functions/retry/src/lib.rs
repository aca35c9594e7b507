//! What is safe but not decided yet: the retry queue, the safety net, dead letters, the sweep of due events.
