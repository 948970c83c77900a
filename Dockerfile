# One image for every service: the command says which. Runs as a user without rights, on a read-only file system; only
# an embedded deployment needs a volume, at /data.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# `node` is the runtime for machines that have none; the image has it.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force && rm -rf node_modules/node node_modules/node-* node_modules/.bin/node

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY tsconfig.json nest-cli.json ./
COPY apps apps
COPY libs libs
COPY deploy deploy
RUN npx nest build standalone && find dist -name '*.tsbuildinfo' -delete

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY deploy deploy
COPY apps/policy/proto apps/policy/proto
RUN mkdir /data && chown node:node /data
USER node
CMD ["node", "--enable-source-maps", "dist/apps/standalone/src/main.js"]
