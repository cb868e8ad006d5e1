"""The server: recordings and live speech in, transcripts out, over HTTP.

Read in this order:

- `app`: the routes, around one model;
- `gate`: what every request passes first: host, origin, key, room; its bounds and its line in the
  log;
- `transcriptions`: a recording is uploaded, its transcript answered;
- `live`: words while somebody speaks, over a WebSocket;
- `answers`: transcripts in OpenAI's forms; `refusal`: errors in theirs;
- `work`: threads that end when nobody waits; `batches`: one engine that all of them share;
- `service`: what requests share; `limits`, `metrics`;
- `server`: the application on a socket, until a signal ends it;
- `page/`: HTML, CSS and JavaScript of the page at `/`.
"""
